package report

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// Limits on the bytes of values that are no content.
const (
	maxCommonBytes = 256
	maxValueBytes  = 4 << 10
	maxEventID     = 128
)

// maxInteger is the greatest number that every JSON reader keeps exactly.
const maxInteger = 1<<53 - 1

// Keys of an item that are not attributes of an event or a scope.
const (
	keyName      = "event.name"
	keyTimestamp = "event.timestamp"
	keyID        = "event.id"
)

// wantTimestamp says how an event.timestamp is written. The package time is more
// lenient than RFC 3339 (golang/go#54580), so a pattern stands before it.
const wantTimestamp = "RFC 3339, such as 2006-01-02T15:04:05.000Z"

// namePrefix may be left out of an event.name.
const namePrefix = "codex."

// kind is the type of an attribute.
type kind uint8

const (
	kindText kind = iota
	kindInteger
	kindBoolean
)

// attribute is one key that an item may have: what the handler checks and what
// the OpenAPI document says.
type attribute struct {
	name     string
	doc      string
	unit     string
	kind     kind
	required bool
	nonEmpty bool
	digits   bool              // decimal digits in a string will do, as Codex writes them
	values   []string          // the only values, in any case of letters; nil for any
	aliases  map[string]string // further spellings, in lower case
	pattern  *regexp.Regexp    // of the text; nil for any
	want     string            // what the pattern means
	maxBytes int
	index    int // of the struct field, in the event or the scope
}

// entry is one event that agents report.
type entry struct {
	name       string
	doc        string
	typ        reflect.Type
	own        []*attribute // fields of the event
	attributes map[string]*attribute
	required   []string // beside event.name
	spellings  spellings
}

// catalog is what may be reported, by event name.
type catalog struct {
	entries []*entry
	common  []*attribute // fields of the scope
	item    []*attribute // event.timestamp and event.id
}

// newCatalog reads the struct tags of package events. It panics on a field type
// it does not know: a mistake in the catalogue, which every test finds.
func newCatalog(maxFieldBytes int) catalog {
	c := catalog{common: commonAttributes(), item: itemAttributes()}
	for _, event := range reportable() {
		e := &entry{
			name:       event.EventName(),
			doc:        eventDoc(event),
			typ:        reflect.TypeOf(event).Elem(),
			attributes: make(map[string]*attribute),
		}
		e.own = eventAttributes(e.typ, maxFieldBytes)
		for _, list := range [][]*attribute{c.common, e.own, c.item} {
			for _, a := range list {
				e.attributes[a.name] = a
				if a.required {
					e.required = append(e.required, a.name)
				}
			}
		}
		names := append(slices.Collect(maps.Keys(e.attributes)), keyName)
		slices.Sort(names)
		e.spellings = newSpellings(names...)
		c.entries = append(c.entries, e)
	}
	return c
}

// find returns the event of an event.name, with or without its prefix.
func (c catalog) find(name string) (*entry, bool) {
	for _, e := range c.entries {
		if name == e.name || name == strings.TrimPrefix(e.name, namePrefix) {
			return e, true
		}
	}
	return nil, false
}

func (c catalog) names() string {
	names := make([]string, 0, len(c.entries))
	for _, e := range c.entries {
		names = append(names, strings.TrimPrefix(e.name, namePrefix))
	}
	return strings.Join(names, ", ")
}

func eventDoc(event events.Event) string {
	switch event.(type) {
	case *events.ConversationStarts:
		return "A conversation begins or is resumed."
	case *events.UserPrompt:
		return "The user said something. Either prompt or prompt_length is needed; with both, prompt_length " +
			"counts the Unicode characters of the prompt. An agent that redacts by itself sends prompt_length " +
			"and leaves prompt out or writes " + events.Redacted + "."
	case *events.ToolDecision:
		return "A tool call was allowed or refused."
	default:
		return "A tool call was carried out, or was not."
	}
}

// eventAttributes returns the attributes of an event, with what the struct tags
// cannot say.
func eventAttributes(t reflect.Type, maxFieldBytes int) []*attribute {
	attributes := taggedAttributes(t)
	for _, a := range attributes {
		a.maxBytes = maxValueBytes
		switch a.name {
		case "prompt_length":
			a.required = false
		case "prompt":
			a.required = false
			a.maxBytes = maxFieldBytes
		case "arguments", "output":
			a.maxBytes = maxFieldBytes
		case "tool_name", "call_id":
			a.nonEmpty = true
		case "decision":
			a.values = []string{
				events.DecisionApproved, events.DecisionApprovedForSession, events.DecisionDenied, events.DecisionAbort,
			}
			// Codex before 0.148 lower-cased the name of its enum.
			a.aliases = map[string]string{"approvedforsession": events.DecisionApprovedForSession}
		case "source":
			a.values = []string{events.DecidedByConfig, events.DecidedByUser}
		}
	}
	return attributes
}

func commonAttributes() []*attribute {
	attributes := taggedAttributes(reflect.TypeFor[events.Scope]())
	for _, a := range attributes {
		a.required = a.name == "conversation.id"
		a.nonEmpty = true
		a.maxBytes = maxCommonBytes
	}
	return attributes
}

func itemAttributes() []*attribute {
	return []*attribute{
		{
			name: keyTimestamp,
			doc:  "When it happened: RFC 3339, at most 30 days ago and 24 hours ahead. The time of arrival when absent.",
			pattern: regexp.MustCompile(
				`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`,
			),
			want:     wantTimestamp,
			maxBytes: maxCommonBytes,
		},
		{
			name:     keyID,
			doc:      "Equal for the same fact told twice. Derived from the item when absent.",
			pattern:  regexp.MustCompile(`^[\x21-\x7e]+$`),
			nonEmpty: true,
			want:     "printable ASCII characters without spaces",
			maxBytes: maxEventID,
		},
	}
}

// taggedAttributes reads the tags of a struct of package events. A field is
// required when it can be neither absent nor left out.
func taggedAttributes(t reflect.Type) []*attribute {
	var attributes []*attribute
	for i := range t.NumField() {
		field := t.Field(i)
		tag, ok := field.Tag.Lookup("attr")
		if !ok {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		a := &attribute{
			name:   name,
			doc:    field.Tag.Get("doc"),
			unit:   field.Tag.Get("unit"),
			digits: field.Tag.Get("codex") == "string",
			index:  i,
		}
		switch reflect.New(field.Type).Interface().(type) {
		case *string:
			a.required = options != "omitempty"
		case *int64:
			a.kind, a.required = kindInteger, true
		case *bool:
			a.kind, a.required = kindBoolean, true
		case *events.Opt[string]:
		case *events.Opt[int64]:
			a.kind = kindInteger
		case *events.Opt[bool]:
			a.kind = kindBoolean
		default:
			panic(fmt.Sprintf("report: field %s has unsupported type %s", field.Name, field.Type))
		}
		attributes = append(attributes, a)
	}
	return attributes
}
