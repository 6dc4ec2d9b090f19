package responses_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

const body = `{"model":"gpt-5-codex","instructions":"say \"model\": {\\","input":[{"model":"not this","x":[1,{"stream":false}]}],` +
	`"stream":true,"reasoning":{"effort":"high","summary":"auto"},"client_metadata":{"turn_id":"t-1","a":"}"},"prompt_cache_key":"key"}`

func inspect(document string, size int) responses.Request {
	inspector := responses.NewInspector(responses.InspectorConfig{})
	for len(document) > 0 {
		n := min(size, len(document))
		inspector.Write([]byte(document[:n]))
		document = document[n:]
	}
	return *inspector.Request()
}

func TestInspectorAnyChunking(t *testing.T) {
	whole := inspect(body, len(body))
	for size := 1; size <= len(body); size++ {
		got := inspect(body, size)
		if got.Model != "gpt-5-codex" || !got.Stream || got.ReasoningEffort != "high" || got.PromptCacheKey != "key" ||
			got.Metadata("turn_id") != "t-1" || got.Malformed || got.Sum != whole.Sum || got.Bytes != int64(len(body)) {
			t.Fatalf("in chunks of %d: %+v", size, got)
		}
	}
}

func TestInspectorBadInput(t *testing.T) {
	for _, document := range []string{"[]", "x", `{"model"`, `{"model":"a"`, `{"a" 1}`, `{"a":1]`, "\x00", `{"model":"a`} {
		if got := inspect(document, 1); !got.Malformed {
			t.Errorf("inspect(%q).Malformed = false; want true", document)
		}
	}
	if got := inspect(`{"model":7,"stream":"yes"}`, 3); got.Model != "" || got.Stream {
		t.Errorf("values of other types = %+v; want none", got)
	}
	if got := inspect(`{"prompt_cache_key":"`+strings.Repeat("x", 100<<10)+`","model":"m"}`, 4096); got.PromptCacheKey != "" || got.Model != "m" {
		t.Error("a huge value was kept, or hid the next one")
	}
}

// FuzzInspector checks that chunking changes nothing, and that a document that
// encoding/json reads gives the same model.
func FuzzInspector(f *testing.F) {
	f.Add(body, 3)
	f.Add(`{"model":"\u0061","model":"b"}`, 1)
	f.Fuzz(func(t *testing.T, document string, size int) {
		whole := inspect(document, max(1, len(document)))
		if got := inspect(document, 1+size&63); got.Model != whole.Model || got.Malformed != whole.Malformed || got.Sum != whole.Sum {
			t.Errorf("chunked = %+v; whole = %+v", got, whole)
		}
		var want map[string]json.RawMessage
		if json.Unmarshal([]byte(document), &want) == nil && want != nil && whole.Malformed {
			t.Errorf("Malformed = true for valid %q", document)
		}
	})
}
