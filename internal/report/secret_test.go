package report

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// TestHandlerTellsNoContent reports a secret in every place where content may
// stand, in items that are rejected for every kind of reason.
func TestHandlerTellsNoContent(t *testing.T) {
	const canary = "sk-canary-7d1f"
	var logged bytes.Buffer
	h, recorded := newTest(t, Config{
		Logger:        slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		MaxFieldBytes: 64,
	})
	server := serve(t, h)
	long := canary + strings.Repeat("x", 64)
	for _, item := range []string{
		bare("user_prompt", `,"prompt":"`+canary+`","prompt_length":3`),
		bare("user_prompt", `,"prompt":"`+long+`"`),
		bare("user_prompt", `,"prompt":["`+canary+`"]`),
		bare("user_prompt", `,"prompt":"`+canary+`","nope":"`+canary+`"`),
		bare("user_prompt", `,"prompt":"`+canary+`","prompt":"`+canary+`"`),
		bare("user_prompt", `,"prompt":"`+canary+"\xff\""),
		bare("user_prompt", `,"prompt":"`+canary+`","prompt_length":"`+canary+`"`),
		bare("user_prompt", `,"prompt":"`+canary+`","event.timestamp":"`+canary+`"`),
		bare("user_prompt", `,"prompt":"`+canary+`","event.id":"`+canary+` "`),
		bare("user_prompt", `,"prompt":"`+canary+`","user.account_id":{"a":"`+canary+`"}`),
		with("tool_result", `"arguments":{"key":"`+canary+`"}`),
		with("tool_result", `"arguments":"`+long+`"`),
		with("tool_result", `"output":"`+canary+`","duration_ms":-1`),
		`{"event.name":"user_prompt","prompt":"` + canary,
		bare(canary, ""),
		`{"` + canary + `":"user_prompt"}`,
		bare("user_prompt", `,"prompt":"x","`+canary+`":1`),
		with("tool_result", `"success":"`+canary+`"`),
		with("tool_decision", `"source":"`+canary+`"`),
		`"` + canary + `"`,
		`{"` + `event.name":"user_prompt","prompt":` + canary + `}`,
	} {
		for _, mediaType := range []string{"application/json", "application/jsonl"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+EventsPath, strings.NewReader(item))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", mediaType)
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != http.StatusBadRequest {
				t.Errorf("POST %s = %d, %v; want 400", item, response.StatusCode, err)
			}
			if bytes.Contains(body, []byte("canary")) {
				t.Errorf("POST %s answers %s; want no content in it", item, body)
			}
		}
	}
	post(t, server, strings.NewReader(bare("user_prompt", `,"prompt":"`+canary+`"`)))
	if got := len(recorded.all()); got != 1 {
		t.Errorf("recorded %d; want 1", got)
	}
	if strings.Contains(logged.String(), "canary") || !strings.Contains(logged.String(), `"accepted":1`) {
		t.Errorf("log = %s; want counts and no content", logged.String())
	}
	if got := strings.Count(logged.String(), `"level":"WARN"`); got != 1 {
		t.Errorf("%d warnings; want one", got)
	}
}
