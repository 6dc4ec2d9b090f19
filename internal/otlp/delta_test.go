package otlp

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// TestTemplatesChangeNothing records deltas of several streams twice: with templates, and with a copy of the scope for each
// record, so that no template ever fits.
func TestTemplatesChangeNothing(t *testing.T) {
	scopes := []*events.Scope{sampleScope(), sampleScope(), sampleScope()}
	scopes[1].ResponseID, scopes[1].Model = "", "model \xff with a bad byte"
	scopes[2].Resource = &events.Resource{ServiceName: "other"}
	for _, scope := range scopes {
		scope.Memo = new(events.Memo)
	}
	var records []events.Record
	for i, at := range []time.Time{
		sampleTime(), sampleTime().Add(time.Millisecond), time.Unix(1, 0), time.Unix(0, 0), time.Unix(-5, 0),
		time.Date(2261, 12, 31, 23, 59, 59, 999999999, time.FixedZone("", 3600)), time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC),
		sampleTime().Add(time.Hour), sampleTime().Add(time.Hour + 7*time.Nanosecond),
	} {
		for j, kind := range []string{"response.output_text.delta", "response.output_text.delta", "x.delta", "\xff.delta", "response.created"} {
			for k, id := range []string{events.ID(kind), "short", "", "bad \xff id"} {
				r := record(&events.SSEEvent{Kind: events.Some(kind), DurationMS: events.Int64([]int64{0, 3, 128, math.MaxInt64, -1}[(i+k)%5])})
				r.Scope, r.Time, r.ID = scopes[(i+j)%3], at, id
				records = append(records, r)
				other := *r.Event.(*events.SSEEvent)
				switch (i + j + k) % 6 {
				case 0:
					other.DurationMS = events.Opt[int64]{}
				case 1:
					other.ErrorMessage = "odd"
				case 2:
					r.Source = events.SourceBoth
				case 3:
					r.Remarks = &events.Remarks{Disagreement: "model"}
				case 4:
					other.StreamEvents = events.Int64(5)
				}
				r.Event = &other
				records = append(records, r)
			}
		}
	}
	for _, schema := range []events.Schema{events.SchemaTyped, events.SchemaCodex} {
		var got [2][]any
		filled := 0
		for i := range got {
			c := startCollector(t, ProtocolHTTPBinary, false, "", nil)
			cfg := c.config()
			cfg.Encoder = &events.Encoder{Schema: schema}
			x := open(t, cfg)
			for _, r := range records {
				if i == 1 {
					scope := *r.Scope
					r.Scope = &scope
				}
				if kind, _, ok := plainDelta(r); ok && x.templateOf(r.Scope).fits(r, kind) {
					filled++
				}
				x.Record(r)
			}
			if err := x.Flush(t.Context()); err != nil {
				t.Fatalf("Flush() = %v", err)
			}
			for _, r := range c.await(t, int(x.Stats().Recorded)) {
				got[i] = append(got[i], r)
			}
		}
		if diff := cmp.Diff(got[1], got[0], protocmp.Transform()); diff != "" {
			t.Errorf("schema %d: records (-encoded +filled):\n%s", schema, diff)
		}
		if typed := schema == events.SchemaTyped; typed != (filled > 50) {
			t.Errorf("schema %d: %d of %d records had a template", schema, filled, len(records))
		}
	}
}

func TestAppendTimestamp(t *testing.T) {
	for _, at := range []time.Time{sampleTime(), time.Unix(0, 0), time.Unix(1<<33-1, 999999999), time.Now()} {
		if got, want := string(appendTimestamp(nil, at)), at.UTC().Format(events.TimestampFormat); got != want {
			t.Errorf("appendTimestamp(%v) = %q; want %q", at, got, want)
		}
	}
}
