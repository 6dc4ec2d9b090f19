package report

import (
	"context"
	"fmt"
	"strings"
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
	return &events.UserPrompt{Length: int64(len([]rune(text))), Prompt: text}
}

func hidden(length int64) *events.UserPrompt {
	return &events.UserPrompt{Length: length, Prompt: events.Redacted}
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

func TestMergerEqualFacts(t *testing.T) {
	for name, report := range map[string]*events.UserPrompt{"words": prompt("yes"), "length": hidden(3)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, kept := newMerger(t, MergerConfig{Grace: grace})
				for i := range 3 {
					m.Record(seen(fmt.Sprint("w", i), prompt("yes")))
				}
				m.Record(seen("w3", prompt("nope")))
				for i := range 3 {
					m.Logs().Record(reported(fmt.Sprint("a", i), report))
				}
				wait(time.Minute)
				expect(t, kept, "both w0", "both w1", "both w2", "wire w3")
				// Said once more, reported twice: the second is another prompt.
				m.Logs().Record(reported("a4", report))
				m.Logs().Record(reported("a5", report))
				m.Record(seen("w4", prompt("yes")))
				wait(time.Minute)
				expect(t, kept, "both w0", "both w1", "both w2", "wire w3", "both w4", "agent a5")
			})
		})
	}
}

// Prompts of equal length are not the same once it is known what they say.
func TestMergerPromptsByWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		m.Record(seen("w1", prompt("hello")))
		m.Record(reported("a1", prompt("world")))
		m.Record(reported("a2", prompt("hello\n")))
		m.Record(seen("w2", prompt("world")))
		wait(time.Minute)
		expect(t, kept, "both w1 (prompt_length, prompt)", "both w2")
	})
}

// A report that has only a length is not taken for an old prompt of that length.
func TestMergerLengthWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		m.Record(seen("w1", prompt("hello")))
		wait(lengthWindow + time.Second)
		m.Logs().Record(reported("a1", hidden(5)))
		wait(time.Minute)
		expect(t, kept, "wire w1", "agent a1")
	})
}

func TestMergerDecisions(t *testing.T) {
	for _, test := range []struct {
		name string
		tell func(m *Merger)
		want []string
	}{
		{"approved, then denied out of the sandbox", func(m *Merger) {
			m.Logs().Record(reported("a1", decided("k", "approved")))
			m.Logs().Record(reported("a2", decided("k", "denied")))
			m.Record(seen("w", decided("k", "denied")))
		}, []string{"agent a1", "both w"}},
		{"the same, the traffic first", func(m *Merger) {
			m.Record(seen("w", decided("k", "denied")))
			m.Logs().Record(reported("a1", decided("k", "approved")))
			m.Logs().Record(reported("a2", decided("k", "denied")))
		}, []string{"both w", "agent a1"}},
		{"told differently", func(m *Merger) {
			m.Record(seen("w", decided("k", "denied")))
			m.Logs().Record(reported("a", decided("k", "approved")))
		}, []string{"both w (decision)"}},
		{"told differently, the report first", func(m *Merger) {
			m.Record(reported("a", decided("k", "abort")))
			m.Record(seen("w", decided("k", "approved")))
		}, []string{"both w (decision)"}},
		{"another call", func(m *Merger) {
			m.Record(seen("w", decided("k1", "approved")))
			m.Record(reported("a", decided("k2", "approved")))
		}, []string{"wire w", "agent a"}},
		{"another conversation", func(m *Merger) {
			m.Record(seen("w", decided("k", "approved")))
			other := reported("a", decided("k", "approved"))
			other.Scope = &events.Scope{ConversationID: "c2"}
			m.Record(other)
		}, []string{"wire w", "agent a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, kept := newMerger(t, MergerConfig{Grace: grace})
				test.tell(m)
				wait(time.Minute)
				expect(t, kept, test.want...)
				// What comes once more comes late.
				m.Record(seen("w-late", decided("k", "denied")))
				wait(time.Minute)
			})
		})
	}
}

// A conversation that is resumed starts again, and a call has one result.
func TestMergerCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		m.Record(seen("w", &events.ConversationStarts{}))
		m.Logs().Record(reported("a1", &events.ConversationStarts{}))
		m.Logs().Record(reported("a2", &events.ConversationStarts{}))
		m.Record(reported("r1", result("k")))
		m.Record(reported("r2", result("k")))
		wait(time.Minute)
		expect(t, kept, "both w", "agent a2", "agent r1")
	})
}

// A hook and the agent's own export tell the same as the traffic: one record.
func TestMergerThreeTellers(t *testing.T) {
	tell := map[string]func(m *Merger){
		"traffic": func(m *Merger) { m.Record(seen("w", prompt("hello"))) },
		"hook":    func(m *Merger) { m.Record(reported("h", prompt("hello"))) },
		"export":  func(m *Merger) { m.Logs().Record(reported("x", hidden(5))) },
	}
	for _, order := range [][]string{
		{"traffic", "hook", "export"},
		{"traffic", "export", "hook"},
		{"hook", "traffic", "export"},
		{"hook", "export", "traffic"},
		{"export", "hook", "traffic"},
		{"export", "traffic", "hook"},
	} {
		t.Run(strings.Join(order, ", "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, kept := newMerger(t, MergerConfig{Grace: grace})
				m.Logs().Record(reported("warm-up", &events.ConversationStarts{})) // Somebody exports here.
				for _, who := range order {
					tell[who](m)
					wait(100 * time.Millisecond)
				}
				wait(time.Minute)
				expect(t, kept, "agent warm-up", "both w")
				if got := kept.all()[1].Event.(*events.UserPrompt).Prompt; got != "hello" {
					t.Errorf("prompt = %q; want hello", got)
				}
			})
		})
	}
}

func TestMergerPassesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		nobody := seen("w4", prompt("of nobody"))
		nobody.Scope = &events.Scope{}
		for _, r := range []events.Record{
			seen("w1", &events.APIRequest{}), seen("w1", &events.APIRequest{}), seen("w2", &events.SSEEvent{}), seen("w3", &events.WebSocketConnect{}),
			nobody, seen("w5", &events.ToolResult{}), reported("a1", &events.Foreign{}), reported("a2", &events.SSEEvent{}),
		} {
			m.Record(r)
		}
		expect(t, kept, "wire w1", "wire w1", "wire w2", "wire w3", "wire w4", "wire w5", "agent a1", "agent a2")
		m.Record(reported("a1", &events.Foreign{}))
		m.Record(reported("a2", &events.SSEEvent{}))
		if got := m.Stats().Suppressed["repeat"]; got != 2 || len(kept.all()) != 8 {
			t.Errorf("%d repeats, %d records; want 2, 8", got, len(kept.all()))
		}
	})
}

func TestMergerWithoutGrace(t *testing.T) {
	for name, pair := range mergeable() {
		m := NewMerger(MergerConfig{Next: events.Discard{}})
		kept := new(memory)
		m.cfg.Next = kept
		m.Record(seen("w", pair[0]))
		m.Record(reported("a", pair[1]))
		m.Record(reported("a", pair[1]))
		expect(t, kept, "wire w")
		if got := m.Stats().Suppressed; got["late_report"] != 1 || got["repeat"] != 1 {
			t.Errorf("%s: suppressed = %v; want a late report and a repeat", name, got)
		}
	}
}

// Records of a conversation that wait leave in the order in which they came.
func TestMergerOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		other := seen("other", prompt("elsewhere"))
		other.Scope = &events.Scope{ConversationID: "c2", Resource: &events.Resource{}}
		m.Record(seen("w1", prompt("hello")))
		m.Record(other)
		wait(time.Second)
		m.Record(seen("w2", decided("k", "approved")))
		m.Record(seen("w3", result("k")))
		m.Record(reported("a3", result("k")))
		m.Record(reported("a2", decided("k", "approved")))
		expect(t, kept)
		m.Record(reported("a1", prompt("hello")))
		expect(t, kept, "both w1", "both w2", "both w3")
		wait(time.Second)
		synctest.Wait()
		expect(t, kept, "both w1", "both w2", "both w3", "wire other")
	})
}

func TestMergerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: time.Hour})
		m.Record(seen("w1", prompt("hello")))
		m.Record(seen("w2", decided("k", "denied")))
		m.Record(reported("a2", decided("k", "approved")))
		m.Close()
		m.Close()
		expect(t, kept, "wire w1", "both w2 (decision)")
		m.Record(seen("w3", prompt("later")))
		m.Record(reported("a1", prompt("hello")))
		expect(t, kept, "wire w1", "both w2 (decision)", "wire w3")
	})
}

func TestMergerRunCloses(t *testing.T) {
	kept := new(memory)
	m := NewMerger(MergerConfig{Next: kept, Grace: time.Hour})
	m.Record(seen("w1", prompt("hello")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ctx); err != nil {
		t.Errorf("Run() = %v", err)
	}
	expect(t, kept, "wire w1")
}

// Without Run, what waits leaves with whatever comes next.
func TestMergerReleasesLazily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := new(memory)
		m := NewMerger(MergerConfig{Next: kept, Grace: grace})
		m.Record(seen("w1", prompt("hello")))
		wait(grace)
		m.Record(seen("w2", prompt("again")))
		expect(t, kept, "wire w1")
	})
}

// Where an agent exports its telemetry, a hook's word does not end the wait for it:
// the export knows better.
func TestMergerWaitsForExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		m.Logs().Record(reported("x0", &events.ConversationStarts{}))
		m.Record(seen("w", decided("k", "approved")))
		m.Record(reported("h", decided("k", "approved")))
		wait(time.Second)
		m.Logs().Record(reported("x", decided("k", "approved_for_session")))
		wait(time.Minute)
		expect(t, kept, "agent x0", "both w")
		if got := kept.all()[1].Event.(*events.ToolDecision).Decision; got != events.DecisionApprovedForSession {
			t.Errorf("decision = %q; want the export's", got)
		}
	})
}

// A report belongs to what waits rather than to what nobody reported long ago.
func TestMergerPrefersWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, kept := newMerger(t, MergerConfig{Grace: grace})
		m.Record(seen("w1", prompt("continue")))
		wait(time.Minute)
		m.Record(seen("w2", prompt("continue")))
		m.Logs().Record(reported("a2", hidden(8)))
		wait(time.Minute)
		expect(t, kept, "wire w1", "both w2")
	})
}
