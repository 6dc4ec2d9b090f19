package report

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
)

// Window of an event.timestamp around now.
const (
	maxAge   = 30 * 24 * time.Hour
	maxAhead = 24 * time.Hour
)

// origin is what an item's request says about it.
type origin struct {
	now   time.Time
	key   string // the Idempotency-Key, "" for none
	index int
}

// decode makes a record of one item, or says everything that is wrong with it.
func (h *Handler) decode(raw []byte, from origin) (events.Record, []Problem) {
	list, problems := members(raw)
	if list == nil && problems != nil {
		return events.Record{}, problems
	}
	e, problem := h.entryOf(list)
	if problem != nil {
		return events.Record{}, append([]Problem{*problem}, problems...)
	}
	told, more := e.read(list)
	problems = append(problems, more...)
	at, problem := happened(told, from.now)
	if problem != nil {
		problems = append(problems, *problem)
	}
	if e.name == events.NameUserPrompt && len(problems) == 0 {
		if problem := e.completePrompt(told); problem != nil {
			problems = append(problems, *problem)
		}
	}
	if len(problems) > 0 {
		return events.Record{}, problems
	}
	for _, v := range told {
		if v.repaired {
			h.stats.repaired.Add(1)
		}
	}
	return events.Record{
		Event:  e.event(told),
		Scope:  h.scope(told),
		Time:   at,
		Source: events.SourceAgent,
		ID:     identify(e, told, at, from),
	}, nil
}

// entryOf finds the event that an item tells.
func (h *Handler) entryOf(list []member) (*entry, *Problem) {
	near, nameSpelling := "", newSpellings(keyName)
	for _, m := range list {
		if m.key != keyName {
			if nameSpelling.nearest(m.key) != "" {
				near = m.key
			}
			continue
		}
		var name string
		if err := json.Unmarshal(m.raw, &name); err != nil || m.raw[0] != '"' {
			return nil, &Problem{
				Field: keyName, reason: reasonType, Message: "want a string, got " + typeName(m.raw),
			}
		}
		if e, ok := h.catalog.find(name); ok {
			return e, nil
		}
		return nil, &Problem{
			Field: keyName, reason: reasonEventName,
			Message: "want one of " + h.catalog.names() + "; got " + echo(name),
		}
	}
	message := "want the key, with one of " + h.catalog.names()
	if near != "" {
		message += "; got " + echo(near)
	}
	return nil, &Problem{Field: keyName, reason: reasonEventName, Message: message}
}

// read returns the values of the keys of an item, by key.
func (e *entry) read(list []member) (map[string]value, []Problem) {
	told := make(map[string]value, len(list))
	present := make(map[string]bool, len(list))
	var problems []Problem
	for _, m := range list {
		present[m.key] = true
		if m.key == keyName {
			continue
		}
		a, ok := e.attributes[m.key]
		if !ok {
			problems = append(problems, e.unknown(m.key))
			continue
		}
		v, problem := a.parse(m.raw)
		if problem != nil {
			problems = append(problems, *problem)
			continue
		}
		told[m.key] = v
	}
	for _, name := range e.required {
		if !present[name] {
			a := e.attributes[name]
			problems = append(problems, *a.problem(reasonMissing, "want the key; "+e.name+" has it always"))
		}
	}
	return told, problems
}

func (e *entry) unknown(key string) Problem {
	message := "unknown key for " + e.name
	if near := e.spellings.nearest(key); near != "" {
		message += "; did you mean " + near + "?"
	}
	return Problem{Field: fieldName(key), reason: reasonUnknownKey, Message: message}
}

// completePrompt checks prompt and prompt_length against each other and adds
// the one that is absent.
func (e *entry) completePrompt(told map[string]value) *Problem {
	prompt, hasPrompt := told["prompt"]
	length, hasLength := told["prompt_length"]
	a := e.attributes["prompt_length"]
	characters := int64(utf8.RuneCountInString(prompt.text))
	redacted := prompt.text == events.Redacted
	switch {
	case !hasPrompt && !hasLength:
		return a.problem(reasonMissing, "want prompt, prompt_length or both")
	case !hasPrompt:
		told["prompt"] = value{text: events.Redacted}
	case !hasLength && redacted:
		return a.problem(reasonMissing, "want the key beside a prompt that is "+events.Redacted)
	case !hasLength:
		told["prompt_length"] = value{number: characters}
	case !redacted && length.number != characters:
		message := fmt.Sprintf("want %d, the Unicode characters of prompt; got %d", characters, length.number)
		return a.problem(reasonValue, message)
	}
	return nil
}

// happened returns when the fact was, as told or as it arrived.
func happened(told map[string]value, now time.Time) (time.Time, *Problem) {
	stamp, ok := told[keyTimestamp]
	if !ok {
		return now, nil
	}
	problem := &Problem{Field: keyTimestamp, reason: reasonValue}
	switch at, err := time.Parse(time.RFC3339, stamp.text); {
	case err != nil:
		problem.Message = "want " + wantTimestamp
	case at.After(now.Add(maxAhead)):
		problem.Message = "want a time at most 24 hours ahead, got a later one"
	case at.Before(now.Add(-maxAge)):
		problem.Message = "want a time at most 30 days ago, got an earlier one"
	default:
		return at.UTC(), nil
	}
	return time.Time{}, problem
}

// event returns the event with the told values in its fields.
func (e *entry) event(told map[string]value) events.Event {
	v := reflect.New(e.typ)
	fill(v.Elem(), e.own, told)
	return v.Interface().(events.Event) //nolint:forcetypeassert // Every entry is made of an Event.
}

// fill sets the fields of the attributes that were told.
func fill(target reflect.Value, attributes []*attribute, told map[string]value) {
	for _, a := range attributes {
		v, ok := told[a.name]
		if !ok {
			continue
		}
		switch field := target.Field(a.index).Addr().Interface().(type) {
		case *string:
			*field = v.text
		case *int64:
			*field = v.number
		case *bool:
			*field = v.flag
		case *events.Opt[string]:
			*field = events.Some(v.text)
		case *events.Opt[int64]:
			*field = events.Some(v.number)
		case *events.Opt[bool]:
			*field = events.Some(v.flag)
		}
	}
}
