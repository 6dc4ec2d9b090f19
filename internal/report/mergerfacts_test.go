package report

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

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
				if got := kept.all()[1].Event.(*events.UserPrompt).Prompt.Value; got != "hello" {
					t.Errorf("prompt = %q; want hello", got)
				}
			})
		})
	}
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
