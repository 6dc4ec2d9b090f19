package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// known is a Scopes that knows what it holds.
type known map[string]*events.Scope

// Scope implements Scopes.
func (k known) Scope(id string) (*events.Scope, bool) {
	scope, ok := k[id]
	return scope, ok
}

func TestScope(t *testing.T) {
	traffic := func() *events.Scope {
		return &events.Scope{
			ConversationID: "c1", AppVersion: "0.45.0", AuthMode: "ChatGPT", Originator: "codex_exec", AccountID: "a1",
			TerminalType: "vscode", Model: "gpt-5", Slug: "gpt-5", TurnID: "t9", ResponseID: "r9", RequestID: "q9",
			Subagent: "review", ParentID: "c0", ParentTurnID: "p9", RootTurnID: "p9", RequestKind: "memory",
			Resource: &events.Resource{ServiceName: "codex-cli", ServiceVersion: "0.45.0", Environment: "staging"},
			Profile:  events.CodexProfile("0.45.0"),
		}
	}
	base := events.Resource{ServiceName: "codex-cli", Environment: "dev"}
	for _, test := range []struct {
		name   string
		more   string
		scopes Scopes
		want   *events.Scope
	}{
		{
			name: "nothing known", want: &events.Scope{
				ConversationID: "c1", Resource: &base, Profile: events.CodexProfile(""),
			},
		},
		{
			name: "other conversations known", scopes: known{"c2": traffic()},
			want: &events.Scope{ConversationID: "c1", Resource: &base, Profile: events.CodexProfile("")},
		},
		{
			name: "built from the report", more: `"app.version":"0.99.0","originator":"Codex_cli","model":"m","auth_mode":"Chatgpt","turn.id":"t1"`,
			want: &events.Scope{
				ConversationID: "c1", AppVersion: "0.99.0", Originator: "Codex_cli", Model: "m", Slug: "m", AuthMode: "ChatGPT", TurnID: "t1",
				Resource: &events.Resource{ServiceName: "codex-cli", ServiceVersion: "0.99.0", Environment: "dev"},
				Profile:  events.CodexProfile("0.99.0"),
			},
		},
		{
			name: "another agent", more: `"app.version":"2.0","originator":"my-agent","auth_mode":"apikey","model":"m","slug":"s"`,
			want: &events.Scope{
				ConversationID: "c1", AppVersion: "2.0", Originator: "my-agent", AuthMode: "ApiKey", Model: "m", Slug: "s",
				Resource: &events.Resource{ServiceName: "codex-cli", ServiceVersion: "2.0", Environment: "dev"},
			},
		},
		{
			name: "known from the traffic", scopes: known{"c1": traffic()},
			want: func() *events.Scope {
				s := traffic()
				s.TurnID, s.ResponseID, s.RequestID = "", "", ""
				s.ParentTurnID, s.RootTurnID, s.RequestKind = "", "", ""
				return s
			}(),
		},
		{
			name: "known and overridden", scopes: known{"c1": traffic()}, more: `"model":"o3","app.version":"0.46.0","response.id":"r1"`,
			want: func() *events.Scope {
				s := traffic()
				s.TurnID, s.ResponseID, s.RequestID = "", "r1", ""
				s.ParentTurnID, s.RootTurnID, s.RequestKind = "", "", ""
				s.Model, s.Slug, s.AppVersion = "o3", "o3", "0.46.0"
				s.Resource = &events.Resource{ServiceName: "codex-cli", ServiceVersion: "0.46.0", Environment: "staging"}
				s.Profile = events.CodexProfile("0.46.0")
				return s
			}(),
		},
		{
			name: "known without a resource", scopes: known{"c1": {ConversationID: "c1"}},
			want: &events.Scope{ConversationID: "c1", Resource: &base},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, _ := newTest(t, Config{Scopes: test.scopes, Resource: base})
			record, problems := one(h, with("user_prompt", test.more))
			if problems != nil {
				t.Fatalf("decode() = %+v; want it accepted", problems)
			}
			if diff := cmp.Diff(test.want, record.Scope); diff != "" {
				t.Errorf("scope (-want +got):\n%s", diff)
			}
			if k, ok := test.scopes.(known); ok && k["c2"] == nil && k["c1"].Resource != nil {
				if diff := cmp.Diff(traffic(), k["c1"]); diff != "" {
					t.Errorf("the scope of the traffic changed (-want +got):\n%s", diff)
				}
			}
		})
	}
	if base.ServiceVersion != "" {
		t.Errorf("the default resource changed: %+v", base)
	}
}

func TestScopeCodexSchema(t *testing.T) {
	h, _ := newTest(t, Config{})
	item := bare("tool_decision", `,"tool_name":"shell","call_id":"k1","decision":"approved_for_session","source":"user","app.version":"0.45.0","originator":"codex_exec"`)
	record, _ := one(h, item)
	encoder := &events.Encoder{Schema: events.SchemaCodex}
	encoder.Expand(record, func(r events.Record) {
		decision := r.Event.(*events.ToolDecision)
		if decision.Decision != "approvedforsession" || decision.Decider.Value != "User" || r.Scope.Originator != "" {
			t.Errorf("record = %+v; want it as Codex 0.45 writes it", decision)
		}
	})
}
