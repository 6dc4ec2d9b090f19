package events

import "strings"

// codexPrefix is that of the names of Codex's events.
const codexPrefix = "codex."

// Foreign is a log record that an agent exported and that the catalogue does
// not have: one of Codex's events about itself, or a record of any other
// library. It passes on as it is, in both schemas.
type Foreign struct {
	// Origin is what the record came from, shared between records; never nil.
	Origin *Origin
	// RecordName is event_name, for Codex a place in its source code.
	RecordName string
	// Nanoseconds since 1970, 0 where the record leaves them out.
	TimeUnixNano, ObservedUnixNano uint64
	SeverityNumber                 int32
	SeverityText                   string
	Body                           Value
	Attributes                     []Pair // keys are unique
	Dropped                        uint32 // attributes that the agent left out
	Flags                          uint32
	TraceID                        [16]byte
	SpanID                         [8]byte
}

var _ Event = (*Foreign)(nil)

// Origin is the resource and the instrumentation scope of a Foreign.
type Origin struct {
	Resource          []Pair // keys are unique
	ResourceDropped   uint32
	ResourceSchemaURL string

	ScopeName, ScopeVersion string
	ScopeAttributes         []Pair // keys are unique
	ScopeDropped            uint32
	ScopeSchemaURL          string
}

// Attribute returns an attribute of the record.
func (f *Foreign) Attribute(key string) (Value, bool) {
	for _, p := range f.Attributes {
		if p.Key == key {
			return p.Value, true
		}
	}
	return Value{}, false
}

// EventName implements Event: the attribute event.name, else the record's name,
// else "log". It is one line of printable characters.
func (f *Foreign) EventName() string {
	if name, ok := f.Attribute(keyName); ok && name.Kind == ValueText && name.Text != "" {
		return line(name.Text)
	}
	if f.RecordName != "" {
		return line(f.RecordName)
	}
	return "log"
}

// Failed implements Event.
func (f *Foreign) Failed() bool { return f.SeverityNumber >= SeverityError }

// Summary implements Event: the body of the record, or, as Codex has none, the
// short attributes that are the event's own.
func (f *Foreign) Summary() string {
	if f.Body.Kind == ValueText {
		return f.Body.Text
	}
	var b strings.Builder
	for _, p := range f.Attributes {
		if isEnvelope(p.Key) || isCommon(p.Key) || p.Value.Kind > ValueDouble {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(cut(p.Key, maxBodyBytes) + "=" + cut(p.Value.String(), maxBodyBytes))
		if b.Len() > maxBodyBytes {
			break
		}
	}
	return b.String()
}

// Bytes returns about how much memory the record takes. Its origin is counted
// with each record.
func (f *Foreign) Bytes() int {
	o := f.Origin
	return len(f.RecordName) + len(f.SeverityText) + f.Body.bytes() + PairBytes(f.Attributes) +
		PairBytes(o.Resource) + PairBytes(o.ScopeAttributes) +
		len(o.ResourceSchemaURL) + len(o.ScopeName) + len(o.ScopeVersion) + len(o.ScopeSchemaURL)
}

// Told returns the attributes of the record as they leave: its own, and, if it
// is one of Codex's events, telemetry.source and event.id as on any other.
func (f *Foreign) Told(r Record) []Pair {
	if !strings.HasPrefix(f.EventName(), codexPrefix) {
		return f.Attributes
	}
	told := make([]Pair, 0, len(f.Attributes)+2)
	for _, p := range f.Attributes {
		if p.Key != keySource && p.Key != keyID {
			told = append(told, p)
		}
	}
	told = append(told, TextPair(keySource, r.Source.String()))
	if r.ID != "" {
		told = append(told, TextPair(keyID, r.ID))
	}
	return told
}
