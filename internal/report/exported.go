package report

import (
	"crypto/rand"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// maxExtra bounds the attributes of a catalogue event that the catalogue does
// not have; Codex has a dozen.
const maxExtra = 64

// codexScopes begins the instrumentation scopes of Codex's own telemetry, those of
// its crate and the codex_otel.log_only of newer releases.
const codexScopes = "codex_otel"

// Prefixes of the events that tell of the traffic. Those that no release writes
// any more are meant too.
var trafficEvents = [...]string{
	events.NameAPIRequest, events.NameSSEEvent, "codex.websocket_",
}

// tellsTraffic reports whether an event tells of what went over the wire.
func tellsTraffic(name string) bool {
	return slices.ContainsFunc(trafficEvents[:], func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// exported is what a record of a request becomes.
type exported struct {
	record events.Record
	as     logKind
}

// interpret makes a record of what an agent exported: an event of the catalogue
// where it is one, told as the catalogue tells it; nothing where the traffic has
// told it; the record as it is in any other case. known says that the agent's
// traffic passes through here, which counts for requests of no conversation:
// Codex asks for the list of models before it has one.
func (h *Handler) interpret(read logRecord, known bool, now time.Time) exported {
	f := read.foreign
	name := f.EventName()
	conversation := textOf(f, "conversation.id")
	if tellsTraffic(name) && (h.sees(conversation) || conversation == "" && known) {
		return exported{as: logTraffic}
	}
	at, timed := exportedAt(f)
	if timed = timed && plausible(at, now); !timed {
		at = now
	}
	record := events.Record{Source: events.SourceAgent, Time: at, ID: read.digest}
	if record.ID == "" {
		record.ID = rand.Text()
	}
	if h.catalogued(&record, f, name, timed) {
		return exported{record: record, as: logCatalogue}
	}
	scope := &events.Scope{Resource: &events.Resource{}}
	events.DecodeScope(f.Attributes, scope)
	for _, p := range f.Origin.Resource {
		switch p.Key {
		case "service.name":
			scope.Resource.ServiceName = p.Value.String()
		case "service.version":
			scope.Resource.ServiceVersion = p.Value.String()
		case "env":
			scope.Resource.Environment = p.Value.String()
		}
	}
	record.Event, record.Scope = f, scope
	return exported{record: record, as: logForeign}
}

// sees reports whether a conversation's traffic passes through here.
func (h *Handler) sees(conversation string) bool {
	if h.config.Scopes == nil || conversation == "" {
		return false
	}
	known, ok := h.config.Scopes.Scope(conversation)
	return ok && known != nil
}

// seesAny reports whether the traffic of any of the records' conversations passes
// through here.
func (h *Handler) seesAny(records []logRecord) bool {
	last := ""
	for _, read := range records {
		if read.problem != 0 {
			continue
		}
		if conversation := textOf(read.foreign, "conversation.id"); conversation != last {
			last = conversation
			if h.sees(conversation) {
				return true
			}
		}
	}
	return false
}

// catalogued completes a record whose event the catalogue has.
func (h *Handler) catalogued(record *events.Record, f *events.Foreign, name string, timed bool) bool {
	told := new(events.Scope)
	event, rest, ok := events.Decode(name, f.Attributes, told)
	if !ok || !sensible(event, told) {
		return false
	}
	record.Event = event
	record.Scope = h.complete(told)
	if !record.Scope.Profile.Codex && strings.HasPrefix(f.Origin.ScopeName, codexScopes) {
		// A client of Codex's app server names itself as the originator.
		record.Scope.Profile = events.CodexProfile(told.AppVersion)
	}
	if more := extra(event, f, rest); len(more) > 0 {
		record.Remarks = &events.Remarks{Extra: more}
	}
	fact := fact{name: name, conversation: told.ConversationID, at: record.Time, timed: timed}
	if !timed {
		fact.from.key = record.ID
	}
	switch event := event.(type) {
	case *events.UserPrompt:
		fact.length = event.Length
	case *events.ToolDecision:
		event.Decision, event.Decider.Value = decisionOf(event.Decision), deciderOf(event.Decider.Value)
		event.Namespace = namespaceOf(event.Namespace)
		fact.tool, fact.call, fact.decision, fact.decider = event.ToolName, event.CallID, event.Decision, event.Decider.Value
	case *events.ToolResult:
		event.Namespace = namespaceOf(event.Namespace)
		fact.tool, fact.call = event.ToolName, event.CallID.Value
	case *events.ConversationStarts:
	default:
		return true // The digest is the id of what only this record tells.
	}
	record.ID = fact.id()
	return true
}

// sensible reports whether an event says what the catalogue can say.
func sensible(event events.Event, scope *events.Scope) bool {
	switch event := event.(type) {
	case *events.UserPrompt:
		return scope.ConversationID != "" && event.Length >= 0
	case *events.ToolDecision, *events.ToolResult, *events.ConversationStarts:
		return scope.ConversationID != ""
	default:
		return true
	}
}

// extra returns what a record tells beyond the catalogue: attributes of its own,
// and those of its resource that do not describe the telemetry itself.
func extra(event events.Event, f *events.Foreign, rest []events.Pair) []events.Pair {
	var pairs []events.Pair
	for _, p := range rest {
		if len(pairs) < maxExtra && !events.Catalogued(event, p.Key) {
			pairs = append(pairs, p)
		}
	}
	for _, p := range f.Origin.Resource {
		_, own := f.Attribute(p.Key)
		switch {
		case own, len(pairs) == maxExtra, events.Catalogued(event, p.Key):
		case p.Key == "service.name", p.Key == "service.version", p.Key == "env", strings.HasPrefix(p.Key, "telemetry."):
		default:
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// exportedAt returns when a record's fact was: its event.timestamp, which Codex
// writes, else its time, else when it was observed. It reports false when the
// record does not say.
func exportedAt(f *events.Foreign) (at time.Time, ok bool) {
	if at, err := time.Parse(time.RFC3339, textOf(f, keyTimestamp)); err == nil {
		return at.UTC(), true
	}
	for _, nanos := range []uint64{f.TimeUnixNano, f.ObservedUnixNano} {
		if nanos != 0 && nanos <= math.MaxInt64 {
			return time.Unix(0, int64(nanos)).UTC(), true
		}
	}
	return time.Time{}, false
}

// plausible reports whether something may have happened then.
func plausible(at, now time.Time) bool {
	return !at.After(now.Add(maxAhead)) && !at.Before(now.Add(-maxAge))
}

// textOf returns an attribute that is a string, "" for any other.
func textOf(f *events.Foreign, key string) string {
	if v, ok := f.Attribute(key); ok && v.Kind == events.ValueText {
		return v.Text
	}
	return ""
}
