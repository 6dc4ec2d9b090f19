package session_test

import (
	"net/textproto"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
	"github.com/codex-proxy/codex-proxy/internal/session"
)

func headers(pairs ...string) session.Headers {
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[textproto.CanonicalMIMEHeaderKey(pairs[i])] = pairs[i+1]
	}
	return func(name string) string { return values[textproto.CanonicalMIMEHeaderKey(name)] }
}

const agent045 = "codex_exec/0.45.0 (Debian 12.0.0; x86_64) xterm"

func TestIdentifyConversation(t *testing.T) {
	tests := map[string]struct {
		header  session.Headers
		request *responses.Request
		want    string
	}{
		"thread header":        {headers("thread-id", "t", "session-id", "s"), &responses.Request{}, "t"},
		"turn metadata":        {headers("x-codex-turn-metadata", `{"thread_id":"m"}`, "session-id", "s"), &responses.Request{}, "m"},
		"client metadata":      {headers("session-id", "s"), &responses.Request{ClientMetadata: []byte(`{"thread_id":"b"}`)}, "b"},
		"old header":           {headers("conversation_id", "c", "session_id", "s"), &responses.Request{}, "c"},
		"session header":       {headers("session_id", "s"), &responses.Request{}, "s"},
		"cache key of Codex":   {headers("user-agent", agent045), &responses.Request{PromptCacheKey: "k"}, "k"},
		"cache key of another": {headers("user-agent", "curl/8"), &responses.Request{PromptCacheKey: "k"}, "exchange"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := session.Identify(test.header, test.request, events.Resource{}, "exchange")
			if got.ConversationID != test.want {
				t.Errorf("ConversationID = %q; want %q", got.ConversationID, test.want)
			}
		})
	}
}

func TestIdentifyModelOfAHandshake(t *testing.T) {
	header := headers("x-codex-turn-metadata", `{"model":"m"}`)
	if got := session.Identify(header, &responses.Request{}, events.Resource{}, "x"); got.Model != "m" || got.Slug != "m" {
		t.Errorf("Model = %q, Slug = %q; want m", got.Model, got.Slug)
	}
	if got := session.Identify(header, &responses.Request{Model: "n"}, events.Resource{}, "x"); got.Model != "n" {
		t.Errorf("Model = %q; want that of the body", got.Model)
	}
}

func TestIdentifyAuthMode(t *testing.T) {
	tests := map[string]struct {
		header session.Headers
		want   string
	}{
		"account":              {headers("chatgpt-account-id", "a", "authorization", "Bearer x"), "ChatGPT"},
		"token":                {headers("authorization", "Bearer eyJ"+strings.Repeat("a", 1000)+".b.c"), "ChatGPT"},
		"key of an SDK":        {headers("authorization", "Bearer sk-1", "user-agent", "OpenAI/Go"), "ApiKey"},
		"built-in provider":    {headers("authorization", "Bearer sk-1", "user-agent", agent045, "version", "0.45.0"), "ApiKey"},
		"custom provider":      {headers("authorization", "Bearer sk-1", "user-agent", agent045), ""},
		"nothing but a header": {headers("authorization", "Basic x"), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := session.Identify(test.header, &responses.Request{}, events.Resource{}, "x").AuthMode; got != test.want {
				t.Errorf("AuthMode = %q; want %q", got, test.want)
			}
		})
	}
}

func TestIdentifyKeepsNothingHuge(t *testing.T) {
	huge := strings.Repeat("é", 1<<19)
	request := &responses.Request{Model: huge, PromptCacheKey: huge}
	scope := session.Identify(headers("thread-id", huge, "user-agent", agent045, "originator", huge, "chatgpt-account-id", huge,
		"x-codex-turn-metadata", `{"turn_id":"`+huge+`"}`), request, events.Resource{}, "x")
	for name, value := range map[string]string{
		"ConversationID": scope.ConversationID, "Model": scope.Model, "Slug": scope.Slug, "TurnID": scope.TurnID,
		"Originator": scope.Originator, "AccountID": scope.AccountID,
	} {
		if value == "" || len(value) > 256 || !utf8.ValidString(value) {
			t.Errorf("%s has %d bytes; want at most 256 of valid UTF-8, and some", name, len(value))
		}
	}
}
