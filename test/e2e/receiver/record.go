package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Record is one log record with what it inherits from its resource and scope. Attribute values keep their OTLP types:
// string, int64, float64, bool, []byte, []any, map[string]any, and nil for an empty value.
type Record struct {
	Resource   map[string]any
	Scope      string
	EventName  string
	Time       time.Time // zero when the record has none
	Observed   time.Time // zero when the record has none
	Severity   string    // the severity text
	Level      int32     // the severity number
	Body       any       // nil when the record has none
	Attrs      map[string]any
	Duplicates []string // keys that occur more than once in the attributes, which OTLP forbids
	Dropped    uint32   // the count of attributes dropped by the exporter's limits
}

// Name is the attribute event.name, by which Codex's events are told apart, or "".
func (r *Record) Name() string {
	name, ok := r.Attrs["event.name"].(string)
	if !ok {
		return ""
	}
	return name
}

// Named returns those of records whose attribute event.name is name, in their order.
func Named(records []Record, name string) []Record {
	var named []Record
	for i := range records {
		if records[i].Name() == name {
			named = append(named, records[i])
		}
	}
	return named
}

// flatten copies everything out of logs, which the receiver reuses.
func flatten(logs plog.Logs) []Record {
	records := make([]Record, 0, logs.LogRecordCount())
	for _, rl := range logs.ResourceLogs().All() {
		resource := rl.Resource().Attributes().AsRaw()
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				records = append(records, Record{
					Resource:   resource,
					Scope:      sl.Scope().Name(),
					EventName:  lr.EventName(),
					Time:       when(lr.Timestamp()),
					Observed:   when(lr.ObservedTimestamp()),
					Severity:   lr.SeverityText(),
					Level:      int32(lr.SeverityNumber()),
					Body:       lr.Body().AsRaw(),
					Attrs:      lr.Attributes().AsRaw(),
					Duplicates: duplicates(lr.Attributes()),
					Dropped:    lr.DroppedAttributesCount(),
				})
			}
		}
	}
	return records
}

func when(ts pcommon.Timestamp) time.Time {
	if ts == 0 {
		return time.Time{}
	}
	return ts.AsTime()
}

func duplicates(attrs pcommon.Map) []string {
	var twice []string
	seen := make(map[string]bool, attrs.Len())
	for key := range attrs.All() {
		if seen[key] {
			twice = append(twice, key)
		}
		seen[key] = true
	}
	return twice
}
