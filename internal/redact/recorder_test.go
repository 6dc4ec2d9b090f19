package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

// memory is a Recorder that keeps what it was given.
type memory struct{ records []events.Record }

func (m *memory) Record(r events.Record) { m.records = append(m.records, r) }

// pass returns what becomes of a record.
func pass(cfg Config, r events.Record) events.Record {
	var kept memory
	cfg.Next = &kept
	New(cfg).Record(r)
	return kept.records[0]
}

func TestRecorderHidesPrompt(t *testing.T) {
	cfg := Config{Prompts: Policy{Mode: ModeRedacted}}
	for _, text := range []string{"hello", ""} {
		prompt := &events.UserPrompt{Length: 5, Prompt: events.Some(text)}
		given := events.Record{Event: prompt, Scope: &events.Scope{}, Source: events.SourceAgent, ID: "id"}
		want := given
		want.Event = &events.UserPrompt{Length: 5, Prompt: events.Some(events.Redacted)}
		if diff := cmp.Diff(want, pass(cfg, given)); diff != "" {
			t.Errorf("passed on (-want +got):\n%s", diff)
		}
		if prompt.Prompt.Value != text {
			t.Errorf("the event it was given is now %q", prompt.Prompt.Value)
		}
	}
}

// sample returns an event of every kind with text in every attribute that takes one.
func sample(text string) []events.Event {
	some := events.Some(text)
	return []events.Event{
		&events.ConversationStarts{ProviderName: some, ReasoningEffort: some, ReasoningSummary: some, ApprovalPolicy: some, SandboxPolicy: some, MCPServers: some, ActiveProfile: some},
		&events.UserPrompt{Length: 1, Prompt: events.Some(text)},
		&events.APIRequest{ErrorMessage: text, CFRay: text, Endpoint: text, HeaderName: text, ErrRequestID: text, ErrCFRay: text, AuthError: text, AuthCode: text, Method: text},
		&events.SSEEvent{ErrorMessage: text, Kind: some, ServiceTier: text, ReasoningEffort: text, EndedBy: text},
		&events.SSEEvent{Usage: &events.Usage{}, Kind: some, ServiceTier: text, ReasoningEffort: text},
		&events.WebSocketConnect{ErrorMessage: text, CFRay: text, HeaderName: text, Endpoint: text, ErrRequestID: text, ErrCFRay: text, AuthError: text, AuthCode: text},
		&events.WebSocketRequest{ErrorMessage: text},
		&events.WebSocketEvent{Kind: text, ErrorMessage: text},
		&events.ToolDecision{ToolName: text, Namespace: some, CallID: text, Decision: text, Decider: some},
		&events.ToolResult{ToolName: text, Namespace: some, CallID: some, Arguments: some, Output: some, MCPServer: some, MCPOrigin: some, AgentName: some},
		&events.Foreign{
			Origin: &events.Origin{
				Resource: []events.Pair{events.TextPair("a", text)}, ResourceSchemaURL: text,
				ScopeName: text, ScopeVersion: text, ScopeAttributes: []events.Pair{events.TextPair(text, "a")}, ScopeSchemaURL: text,
			},
			RecordName: text, SeverityText: text,
			Body: events.Value{Kind: events.ValueList, List: []events.Value{{Kind: events.ValueText, Text: text}, {Kind: events.ValueBytes, Text: text}}},
			Attributes: []events.Pair{
				events.TextPair("a", text), events.TextPair("prompt", text), events.TextPair("arguments", text), events.TextPair("output", text),
				{Key: "m", Value: events.Value{Kind: events.ValueMap, Map: []events.Pair{events.TextPair("b", text)}}},
			},
		},
	}
}

// surround returns a record of the event with text in all that surrounds it.
func surround(event events.Event, text string) events.Record {
	return events.Record{
		Event: event,
		Scope: &events.Scope{
			ConversationID: text, AppVersion: text, AuthMode: text, Originator: text, AccountID: text, TerminalType: text, Model: text, Slug: text,
			TurnID: text, ResponseID: text, RequestID: text, Repository: text, Commit: text,
			Metadata: []events.Pair{events.TextPair("turn.metadata.a", text)},
			Resource: &events.Resource{ServiceName: "s", ServiceVersion: text, Environment: "dev"},
		},
		Remarks: &events.Remarks{Extra: []events.Pair{events.TextPair("a", text), events.TextPair("prompt", text)}},
	}
}

// dump tells all that a record holds.
func dump(r events.Record) string {
	return cmp.Diff(nil, r.Event) + cmp.Diff(nil, r.Scope) + cmp.Diff(nil, r.Remarks)
}

func TestRecorderTakesCredentialsOut(t *testing.T) {
	s := newScanner(t)
	secret := credentials()["github-pat"]
	for _, event := range sample("x " + secret) {
		given := surround(event, secret+" y")
		before := dump(given)
		got := dump(pass(Config{Scanner: s}, given))
		if strings.Contains(got, secret) || strings.Count(got, "[REDACTED:github-pat]") < 17 {
			t.Errorf("%s passed on as %s", event.EventName(), got)
		}
		if dump(given) != before {
			t.Errorf("%s was changed itself", event.EventName())
		}
	}
}

// What has no credential is passed on itself, at no cost of memory.
func TestRecorderPassesOthers(t *testing.T) {
	s := newScanner(t)
	for _, event := range sample("text") {
		given := surround(event, "words")
		got := pass(Config{Scanner: s}, given)
		if got.Event != given.Event || got.Scope != given.Scope || got.Remarks != given.Remarks {
			t.Errorf("%s is copied; want the same", event.EventName())
		}
	}
}

// The records of an exchange keep one scope.
func TestRecorderSharesScopes(t *testing.T) {
	var kept memory
	recorder := New(Config{Next: &kept, Scanner: newScanner(t)})
	given := surround(&events.SSEEvent{}, credentials()["github-pat"])
	recorder.Record(given)
	recorder.Record(given)
	if kept.records[0].Scope != kept.records[1].Scope || kept.records[0].Scope == given.Scope {
		t.Error("scopes differ; want one that was made once")
	}
	for range 3 * maxMemo {
		recorder.Record(events.Record{Event: given.Event, Scope: &events.Scope{}})
	}
	if n := len(recorder.scopes.made); n > maxMemo {
		t.Errorf("%d scopes remembered; want at most %d", n, maxMemo)
	}
}

func TestRecorderForeignPrompts(t *testing.T) {
	prompt := events.TextPair("prompt", "secret")
	inMap := events.Value{Kind: events.ValueMap, Map: []events.Pair{prompt}}
	given := events.Record{
		Event: &events.Foreign{
			Attributes: []events.Pair{events.TextPair("a", "b"), prompt, {Key: "m", Value: inMap}, {Key: "prompt", Value: inMap}},
			Body:       events.Value{Kind: events.ValueList, List: []events.Value{inMap}},
		},
		Remarks: &events.Remarks{Extra: []events.Pair{prompt}, Disagreement: "x"},
	}
	hidden := events.TextPair("prompt", events.Redacted)
	hiddenMap := events.Value{Kind: events.ValueMap, Map: []events.Pair{hidden}}
	want := events.Record{
		Event: &events.Foreign{
			Attributes: []events.Pair{events.TextPair("a", "b"), hidden, {Key: "m", Value: hiddenMap}, hidden},
			Body:       events.Value{Kind: events.ValueList, List: []events.Value{hiddenMap}},
		},
		Remarks: &events.Remarks{Extra: []events.Pair{hidden}, Disagreement: "x"},
	}
	if diff := cmp.Diff(want, pass(Config{Prompts: Policy{Mode: ModeRedacted}}, given)); diff != "" {
		t.Errorf("passed on (-want +got):\n%s", diff)
	}
	if given.Event.(*events.Foreign).Attributes[1].Value.Text != "secret" || inMap.Map[0].Value.Text != "secret" {
		t.Error("the event it was given is changed")
	}
}

// Names say of some attributes that they are credentials, whatever they look like.
func TestRecorderSecretAttributes(t *testing.T) {
	s := newScanner(t)
	for key, secret := range map[string]bool{
		"http.request.header.authorization": true, "x-api-key": true, "db.Password": true, "access_token": true, "client-secret": true, "cookie": true,
		"input_token_count": false, "auth_mode": false, "token_type": false, "author": false, "key": false, "tokens": false,
	} {
		given := events.Record{Event: &events.Foreign{Attributes: []events.Pair{events.TextPair(key, "hunter2")}}}
		got := pass(Config{Scanner: s}, given).Event.(*events.Foreign).Attributes[0].Value.Text
		if hidden := got == "[REDACTED:attribute]"; hidden != secret {
			t.Errorf("%s is told as %q", key, got)
		}
		if got := pass(Config{}, given); got.Event != given.Event {
			t.Errorf("%s is changed without a scanner", key)
		}
	}
}

// A credential that the limit cuts through is replaced as a whole.
func TestRecorderCutsBehindCredentials(t *testing.T) {
	s := newScanner(t)
	secret := credentials()["github-pat"]
	for before := range 80 {
		text := strings.Repeat("x", 60+before) + " " + secret + strings.Repeat(" tail", 40)
		given := events.Record{Event: &events.ToolResult{Output: events.Some(text)}}
		got := pass(Config{Scanner: s, Outputs: Policy{MaxBytes: 128}}, given).Event.(*events.ToolResult).Output.Value
		if strings.Contains(got, secret[:8]) || len(got) > 128 || !strings.HasSuffix(got, "bytes]") {
			t.Errorf("with %d bytes before it: %q", before, got)
		}
	}
	huge := "start " + strings.Repeat("é", 1<<20)
	got := pass(Config{Scanner: s}, events.Record{Event: &events.ToolResult{Output: events.Some(huge)}}).Event.(*events.ToolResult).Output.Value
	if len(got) > events.DefaultMaxValueBytes || !strings.HasSuffix(got, "[truncated, 2097158 bytes]") || strings.Contains(got, "\uFFFD") {
		t.Errorf("%d bytes are told in %d: ...%q", len(huge), len(got), got[len(got)-40:])
	}
}

func TestRecorderPolicies(t *testing.T) {
	s := newScanner(t)
	secret := credentials()["github-pat"]
	key := []byte("0123456789abcdef")
	const text = "word "
	hash := (&Policy{Key: key}).hash(text + secret)
	for mode, want := range map[Mode]events.Opt[string]{
		ModeFull: events.Some(text + "[REDACTED:github-pat]"), ModeRedacted: events.Some(events.Redacted), ModeHash: events.Some(hash), ModeOff: {},
	} {
		policy := Policy{Mode: mode, Key: key}
		cfg := Config{Scanner: s, Prompts: policy, Arguments: policy, Outputs: policy}
		given := events.Record{Event: &events.UserPrompt{Length: 45, Prompt: events.Some(text + secret)}}
		if got := pass(cfg, given).Event; !cmp.Equal(got, &events.UserPrompt{Length: 45, Prompt: want}) {
			t.Errorf("mode %d tells the prompt as %+v; want %v", mode, got, want)
		}
		given.Event = &events.ToolResult{Arguments: events.Some(text + secret), Output: events.Some(text + secret)}
		if got := pass(cfg, given).Event; !cmp.Equal(got, &events.ToolResult{Arguments: want, Output: want}) {
			t.Errorf("mode %d tells the result as %+v; want %v", mode, got, want)
		}
		pairs := []events.Pair{events.TextPair("arguments", text+secret), events.TextPair("note", "x"), events.TextPair("output", text+secret), events.TextPair("prompt", text+secret)}
		wanted := []events.Pair{events.TextPair("note", "x")}
		if want.Set {
			wanted = []events.Pair{
				events.TextPair("arguments", want.Value), events.TextPair("note", "x"), events.TextPair("output", want.Value), events.TextPair("prompt", want.Value),
			}
		}
		given.Event = &events.Foreign{Attributes: pairs}
		if diff := cmp.Diff(wanted, pass(cfg, given).Event.(*events.Foreign).Attributes); diff != "" {
			t.Errorf("mode %d tells attributes (-want +got):\n%s", mode, diff)
		}
	}
}

// Hashes tell what is equal, and nothing without the key.
func TestPolicyHash(t *testing.T) {
	one, other := &Policy{Mode: ModeHash, Key: []byte("one")}, &Policy{Mode: ModeHash, Key: []byte("other")}
	hash := func(p *Policy, text string) string {
		told, ok := p.apply(text, nil)
		if !ok || len(told) != len(HashPrefix)+64 || !strings.HasPrefix(told, HashPrefix) {
			t.Errorf("hash of %q is %q, %t", text, told, ok)
		}
		return told
	}
	again := &Policy{Mode: ModeHash, Key: []byte("one")}
	if hash(one, "a") != hash(again, "a") || hash(one, "a") == hash(one, "b") || hash(one, "a") == hash(other, "a") || hash(one, "") == hash(one, "a") {
		t.Error("hashes are not those of a text under a key")
	}
	long := strings.Repeat("x", 1<<20)
	if hash(one, long) == hash(one, long+"x") {
		t.Error("the end of a long text is not in its hash")
	}
	if told, _ := one.apply(events.Redacted, nil); told != events.Redacted {
		t.Errorf("what an agent redacted is told as %q", told)
	}
	// RFC 4231, test case 2.
	if got, want := hash(&Policy{Mode: ModeHash, Key: []byte("Jefe")}, "what do ya want for nothing?"), HashPrefix+"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; got != want {
		t.Errorf("hash = %s; want %s", got, want)
	}
}
