package report

import (
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

func TestIdentity(t *testing.T) {
	const stamp = `"event.timestamp":"2026-03-01T11:00:00Z"`
	h, _ := newTest(t, Config{})
	id := func(item, key string, index int) string {
		t.Helper()
		record, problems := h.decode([]byte(item), origin{now: testNow, key: key, index: index})
		if problems != nil {
			t.Fatalf("decode(%s) = %+v; want it accepted", item, problems)
		}
		return record.ID
	}
	decided := func(decision, more string) string {
		return bare("tool_decision", `,"tool_name":"shell","call_id":"k1","decision":"`+decision+`"`+more)
	}
	if got := id(with("user_prompt", `"event.id":"mine"`), "key", 0); got != "mine" {
		t.Errorf("id = %q; want the agent's own", got)
	}
	call := with("tool_result", `"call_id":"k1"`)
	if got, want := id(call, "", 0), events.ID("c1", events.NameToolResult, "k1"); got != want {
		t.Errorf("id of a result = %q; want %q", got, want)
	}
	type told struct {
		item  string
		key   string
		index int
	}
	for _, test := range []struct {
		name string
		a, b told
		same bool
	}{
		{"result, told twice", told{item: call}, told{item: call, key: "key"}, true},
		{"result, stamped", told{item: call}, told{item: with("tool_result", `"call_id":"k1",`+stamp)}, true},
		{"results of two calls", told{item: call}, told{item: with("tool_result", `"call_id":"k2"`)}, false},
		{"results without a call", told{item: with("tool_result", "")}, told{item: with("tool_result", "")}, false},
		{"decision, told twice", told{item: decided("denied", "")}, told{item: decided("denied", "")}, true},
		{"decision, then another", told{item: decided("approved", "")}, told{item: decided("denied", "")}, false},
		{"decision of the policy, then of the user", told{item: decided("approved", `,"source":"config"`)}, told{item: decided("approved", `,"source":"user"`)}, false},
		{"approved again later", told{item: decided("approved", ","+stamp)}, told{item: decided("approved", `,"event.timestamp":"2026-03-01T11:00:09Z"`)}, false},
		{"prompt, said twice", told{item: with("user_prompt", "")}, told{item: with("user_prompt", "")}, false},
		{"prompt, stamped, told twice", told{item: with("user_prompt", stamp)}, told{item: with("user_prompt", stamp)}, true},
		{"prompt, stamped in another zone", told{item: with("user_prompt", stamp)}, told{item: with("user_prompt", `"event.timestamp":"2026-03-01T12:00:00.0+01:00"`)}, true},
		{"prompt, told twice under one key", told{with("user_prompt", ""), "key", 1}, told{with("user_prompt", ""), "key", 1}, true},
		{"prompts of one request", told{with("user_prompt", ""), "key", 1}, told{with("user_prompt", ""), "key", 2}, false},
		{"prompts of two requests", told{with("user_prompt", ""), "key", 1}, told{with("user_prompt", ""), "kez", 1}, false},
		{"start, told twice under one key", told{with("conversation_starts", ""), "key", 0}, told{with("conversation_starts", ""), "key", 0}, true},
		{"redacted or not", told{item: bare("user_prompt", `,"prompt":"hi",`+stamp)}, told{item: bare("user_prompt", `,"prompt_length":2,`+stamp)}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := id(test.a.item, test.a.key, test.a.index), id(test.b.item, test.b.key, test.b.index)
			if (a == b) != test.same {
				t.Errorf("ids = %q, %q; want the same: %t", a, b, test.same)
			}
		})
	}
}

func TestHandlerIdempotencyKey(t *testing.T) {
	h, recorded := newTest(t, Config{})
	server := serve(t, h)
	for range 2 {
		post(t, server, strings.NewReader(goodItem+"\n"+goodItem), "Idempotency-Key", "try-1")
	}
	records := recorded.all()
	if len(records) != 4 {
		t.Fatalf("recorded %d; want 4", len(records))
	}
	if records[0].ID != records[2].ID || records[1].ID != records[3].ID || records[0].ID == records[1].ID {
		t.Errorf("ids = %q, %q, %q, %q; want two, each twice", records[0].ID, records[1].ID, records[2].ID, records[3].ID)
	}
}
