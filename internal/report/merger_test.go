package report

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

const grace = 2 * time.Second

// seen and reported return a record of the event as the traffic and as an agent
// tell it. Each has an id of its own.
func seen(id string, event events.Event) events.Record {
	return toldBy(events.SourceWire, id, event)
}

func reported(id string, event events.Event) events.Record {
	return toldBy(events.SourceAgent, id, event)
}

func toldBy(source events.Source, id string, event events.Event) events.Record {
	return events.Record{
		Event: event, Source: source, ID: id, Time: time.Now(),
		Scope: &events.Scope{ConversationID: "c1", Resource: &events.Resource{}},
	}
}

func prompt(text string) *events.UserPrompt {
	return &events.UserPrompt{Length: int64(len([]rune(text))), Prompt: events.Some(text)}
}

func hidden(length int64) *events.UserPrompt {
	return &events.UserPrompt{Length: length, Prompt: events.Some(events.Redacted)}
}

func decided(call, decision string) *events.ToolDecision {
	return &events.ToolDecision{ToolName: "shell", CallID: call, Decision: decision}
}

func result(call string) *events.ToolResult {
	return &events.ToolResult{ToolName: "shell", CallID: events.Some(call), Success: true}
}

// newMerger returns a Merger that runs until the test ends.
func newMerger(t *testing.T, cfg MergerConfig) (*Merger, *memory) {
	t.Helper()
	kept := new(memory)
	cfg.Next = kept
	m := NewMerger(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	return m, kept
}

// brief tells records in a word each.
func brief(records []events.Record) []string {
	var list []string
	for _, r := range records {
		text := r.Source.String() + " " + r.ID
		if differ := r.Disagreement(); differ != "" {
			text += " (" + differ + ")"
		}
		list = append(list, text)
	}
	return list
}

func expect(t *testing.T, kept *memory, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, brief(kept.all())); diff != "" {
		t.Errorf("passed on (-want +got):\n%s", diff)
	}
}

// mergeable returns two tellings of the same fact of every kind.
func mergeable() map[string][2]events.Event {
	return map[string][2]events.Event{
		"start":           {&events.ConversationStarts{}, &events.ConversationStarts{}},
		"prompt":          {prompt("hello"), prompt("hello")},
		"redacted prompt": {prompt("wörld"), hidden(5)},
		"decision":        {decided("k", "approved"), decided("k", "approved_for_session")},
		"result":          {result("k"), result("k")},
	}
}

func TestMergerPairs(t *testing.T) {
	for name, pair := range mergeable() {
		for _, order := range []struct {
			name   string
			gap    time.Duration
			report bool // comes first
			want   []string
			reason string
		}{
			{"report at once", 0, false, []string{"both w"}, ""},
			{"report in time", grace - time.Millisecond, false, []string{"both w"}, ""},
			{"report late", grace, false, []string{"wire w"}, "late_report"},
			{"report very late", 5 * time.Minute, false, []string{"wire w"}, "late_report"},
			{"traffic at once", 0, true, []string{"both w"}, ""},
			{"traffic in time", grace - time.Millisecond, true, []string{"both w"}, ""},
			{"traffic late", grace, true, []string{"agent a"}, "late_traffic"},
		} {
			for _, way := range []string{"JSON", "OTLP"} {
				t.Run(name+" "+order.name+" "+way, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m, kept := newMerger(t, MergerConfig{Grace: grace})
						report := func() {
							if way == "OTLP" {
								m.Logs().Record(reported("a", pair[1]))
							} else {
								m.Record(reported("a", pair[1]))
							}
						}
						if order.report {
							report()
						} else {
							m.Record(seen("w", pair[0]))
						}
						expect(t, kept)
						wait(order.gap)
						synctest.Wait()
						if order.report {
							m.Record(seen("w", pair[0]))
						} else {
							report()
						}
						synctest.Wait()
						expect(t, kept, order.want...)
						wait(time.Hour)
						expect(t, kept, order.want...)
						checkMergeStats(t, m, order.reason)
					})
				})
			}
		}
	}
}

func checkMergeStats(t *testing.T, m *Merger, reason string) {
	t.Helper()
	got := m.Stats()
	want := MergeStats{Remembered: 1, Suppressed: map[string]int64{"repeat": 0, "late_report": 0, "late_traffic": 0}}
	if reason == "" {
		want.Merged = 1
	} else {
		want.Alone = 1
		want.Suppressed[reason] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Stats() (-want +got):\n%s", diff)
	}
}

func TestMergerRepeats(t *testing.T) {
	for name, pair := range mergeable() {
		synctest.Test(t, func(t *testing.T) {
			m, kept := newMerger(t, MergerConfig{Grace: grace})
			for range 3 {
				m.Logs().Record(reported("a", pair[1]))
				m.Record(seen("w", pair[0]))
				wait(time.Second)
			}
			wait(time.Minute)
			expect(t, kept, "both w")
			if got := m.Stats().Suppressed["repeat"]; got != 4 {
				t.Errorf("%s: %d repeats; want 4", name, got)
			}
		})
	}
}

// A retry of a report that came too late is a repetition of it, not another fact.
func TestMergerRepeatsLateReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		m.Record(seen("w", prompt("hello")))
		wait(time.Minute)
		m.Record(reported("a", prompt("hello")))
		m.Record(reported("a", prompt("hello")))
		wait(time.Minute)
		expect(t, kept, "wire w")
	})
}
