package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// table returns the rows of a query on the database of a directory, a line each.
func table(t *testing.T, dir, query string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", readOnly(filepath.Join(dir, fileName)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values := make([]any, len(columns))
		to := make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestHistoryTables tells a short conversation in both schemas, and looks at what the tables know of it.
func TestHistoryTables(t *testing.T) {
	for schema, number := range map[string]func(int) any{
		"typed": func(n int) any { return n }, "codex": func(n int) any { return fmt.Sprint(n) },
	} {
		t.Run(schema, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, Config{Dir: dir, History: true})
			at := time.Unix(1000, 0)
			tell := func(event string, pairs ...any) {
				at = at.Add(time.Second)
				s.Append(facts(at, event, append([]any{"event.name", event, "conversation.id", "c1", "turn.id", "t1"}, pairs...)...))
				synced(t, s)
			}
			tell("codex.conversation_starts", "originator", "codex_exec", "app.version", "1.2.3")
			tell("codex.user_prompt", "prompt_length", number(5), "prompt", "hello", "model", "m1")
			tell("codex.api_request", "duration_ms", number(400), "http.response.status_code", 500, "attempt", 0, "error.message", "http 500")
			tell("codex.api_request", "duration_ms", number(412), "http.response.status_code", 200, "attempt", 1, "request.id", "q1", "endpoint", "/responses", "model", "m2")
			tell("codex.sse_event", "event.kind", "response.created", "request.id", "q1")
			tell("codex.api_request", "http.response.status_code", 200, "request.id", "q2")
			tell("codex.sse_event", "event.kind", "response.completed", "request.id", "q1", "response.id", "r1", "stream.ended_by", "completed",
				"input_token_count", number(1200), "output_token_count", number(42), "cached_token_count", 1024, "stream.events", 6, "ttft_ms", 23)
			tell("codex.tool_decision", "call_id", "k1", "tool_name", "shell", "decision", "approved", "source", "user")
			tell("codex.tool_result", "call_id", "k1", "tool_name", "shell", "duration_ms", number(7), "success", "true", "arguments", "ls", "output", "files")
			tell("codex.websocket_request")
			tell("codex.sse_event", "event.kind", "response.completed", "response.id", "r2", "stream.ended_by", "upstream", "error.message", "broken")
			tell("codex.sse_event", "event.kind", "response.completed", "request.id", "q3", "stream.ended_by", "client")
			for query, want := range map[string][]string{
				"SELECT id, first_at / 1000000000, last_at / 1000000000, model, agent, version FROM conversations": {"c1 1001 1012 m2 codex_exec 1.2.3"},
				"SELECT conversation, turn, length FROM prompts":                                                   {"c1 t1 5"},
				"SELECT tool, decision, decided_by, duration_ms, success, arguments_bytes, output_bytes FROM tool_calls": {
					"shell approved user 7 true 2 5",
				},
				"SELECT request, response, transport, endpoint, status, duration_ms, attempt, ended_by, error, input_tokens, cached_tokens, output_tokens, events FROM exchanges ORDER BY id": {
					"<nil> <nil> http <nil> 500 400 0 <nil> http 500 <nil> <nil> <nil> <nil>",
					"q1 r1 http /responses 200 412 1 completed <nil> 1200 1024 42 6",
					"q2 <nil> http <nil> 200 <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil>",
					"<nil> r2 websocket <nil> <nil> <nil> <nil> upstream broken <nil> <nil> <nil> <nil>",
					"q3 <nil> <nil> <nil> <nil> <nil> <nil> client <nil> <nil> <nil> <nil> <nil>",
				},
			} {
				if diff := cmp.Diff(want, table(t, dir, query)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", query, diff)
				}
			}
			for _, text := range table(t, dir, "SELECT * FROM prompts UNION ALL SELECT '', '', '', call, tool, '' FROM tool_calls") {
				if strings.Contains(text, "hello") || strings.Contains(text, "files") {
					t.Errorf("a table has %q; want no content", text)
				}
			}
			// What is known from the history alone goes with it.
			script(t, dir, "UPDATE history SET stored_at = 0")
			s.Append(facts(at, "other"))
			synced(t, s)
			for _, name := range []string{"conversations", "exchanges", "prompts", "tool_calls"} {
				if got := table(t, dir, "SELECT count(*) FROM "+name); got[0] != "0" {
					t.Errorf("%s has %s rows; want none left", name, got[0])
				}
			}
		})
	}
}
