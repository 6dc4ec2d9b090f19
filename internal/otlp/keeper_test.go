package otlp

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// steps is an outbox that notes what it is told, and keeps the payloads.
type steps struct {
	*outbox.Memory
	list     []string
	appended []outbox.Entry
	kept     []outbox.Entry
}

func (s *steps) Append(e outbox.Entry) {
	s.list = append(s.list, fmt.Sprintf("append %d", e.Records))
	s.appended = append(s.appended, e)
	s.Memory.Append(e)
}

func (s *steps) Keep(key uint64, e outbox.Entry) {
	s.list = append(s.list, fmt.Sprintf("keep %d", key))
	s.kept = append(s.kept, e)
}

func (s *steps) Forget(keys []uint64) { s.list = append(s.list, fmt.Sprintf("forget %d", keys)) }

// TestForgetFollowsItsRecord has the outbox forget what was kept once it has what took its place, not before.
func TestForgetFollowsItsRecord(t *testing.T) {
	o := &steps{Memory: memory(QueueLimits{}, BatchLimits{})}
	x := openScripted(Config{Outbox: o}, &scripted{replies: []reply{{}}})
	defer x.Close()
	x.Keep(1, prompt("a"))
	x.Keep(2, prompt("b"))
	x.Keep(3, prompt("c"))
	x.Record(prompt("a"))
	x.Forget(1)
	x.Record(prompt("b"))
	x.Forget(2)
	if err := x.Sync(t.Context()); err != nil {
		t.Errorf("Sync() = %v", err)
	}
	x.Forget(3)
	want := []string{"keep 1", "keep 2", "keep 3", "append 2", "forget [1 2]", "forget [3]"}
	if diff := cmp.Diff(want, o.list); diff != "" {
		t.Errorf("the outbox was told (-want +got):\n%s", diff)
	}
}

// TestKeptIsWhatWouldBeSent keeps every kind of record as Record encodes it.
func TestKeptIsWhatWouldBeSent(t *testing.T) {
	foreign := record(&events.Foreign{Origin: &events.Origin{ScopeName: "other"}, RecordName: "other"})
	for _, schema := range []events.Schema{events.SchemaTyped, events.SchemaCodex} {
		for name, r := range map[string]events.Record{
			"prompt": prompt("hello"), "completion": completed(), "delta": delta(), "foreign": foreign,
			"result": record(&events.ToolResult{ToolName: "shell", CallID: events.Some("k"), Output: events.Some("out")}),
		} {
			o := &steps{Memory: memory(QueueLimits{}, BatchLimits{})}
			x := openScripted(Config{Outbox: o, Encoder: &events.Encoder{Schema: schema}}, &scripted{replies: []reply{{}}})
			x.Keep(1, r)
			x.Record(r)
			if err := x.Sync(t.Context()); err != nil {
				t.Errorf("Sync() = %v", err)
			}
			if diff := cmp.Diff(o.appended, o.kept); diff != "" || len(o.kept) != 1 {
				t.Errorf("%s: kept (-recorded +kept):\n%s", name, diff)
			}
			x.Close()
		}
	}
}

// TestNothingIsKeptOfNothing has a record that the schema leaves out.
func TestNothingIsKeptOfNothing(t *testing.T) {
	o := &steps{Memory: memory(QueueLimits{}, BatchLimits{})}
	x := openScripted(Config{Outbox: o, Encoder: &events.Encoder{Schema: events.SchemaCodex}}, &scripted{replies: []reply{{}}})
	defer x.Close()
	x.Keep(1, record(&events.APIRequest{ClientGone: true}))
	x.Forget(1)
	if diff := cmp.Diff([]string{"forget [1]"}, o.list); diff != "" {
		t.Errorf("the outbox was told (-want +got):\n%s", diff)
	}
}

// TestLocalExporter has no collector, and an outbox that takes what is recorded.
func TestLocalExporter(t *testing.T) {
	o := &steps{Memory: memory(QueueLimits{}, BatchLimits{})}
	x := NewLocal(Config{Outbox: o})
	run(t, x)
	x.Record(prompt("a"))
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	x.Record(prompt("b"))
	if err := x.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if diff := cmp.Diff([]string{"append 1", "append 1"}, o.list); diff != "" {
		t.Errorf("the outbox was told (-want +got):\n%s", diff)
	}
}
