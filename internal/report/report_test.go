package report

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/redact"
)

func TestHandlerSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*json")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{
		"user_prompt.json": 1, "tool_decision.json": 1, "tool_result.json": 1, "conversation_starts.json": 1,
		"batch.json": 3, "session.ndjson": 4,
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "mistakes") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			h, recorded := newTest(t, Config{})
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			mediaType := "application/json"
			if filepath.Ext(file) == ".ndjson" {
				mediaType = "application/x-ndjson"
			}
			answer := post(t, serve(t, h), bytes.NewReader(body), "Content-Type", mediaType)
			if answer.status != http.StatusAccepted || answer.Rejected != 0 || answer.Accepted != counts[name] {
				t.Errorf("POST = %d, %+v; want 202 and %d accepted", answer.status, answer.Answer, counts[name])
			}
			if got := len(recorded.all()); got != counts[name] {
				t.Errorf("recorded %d; want %d", got, counts[name])
			}
			delete(counts, name)
		})
	}
	if len(counts) > 0 {
		t.Errorf("samples without a file: %v", counts)
	}
}

func TestHandlerMistakes(t *testing.T) {
	h, recorded := newTest(t, Config{})
	body, err := os.ReadFile("testdata/mistakes.json")
	if err != nil {
		t.Fatal(err)
	}
	answer := post(t, serve(t, h), bytes.NewReader(body), "Content-Type", "application/json; charset=UTF-8")
	if answer.status != http.StatusAccepted {
		t.Errorf("status = %d; want 202", answer.status)
	}
	want, err := os.ReadFile("testdata/mistakes.answer.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(answer.Answer, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if got := len(recorded.all()); got != 1 {
		t.Errorf("recorded %d; want 1", got)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := answer.header.Get(name); got != want {
			t.Errorf("header %s = %q; want %q", name, got, want)
		}
	}
}

func TestHandlerRedactionEndToEnd(t *testing.T) {
	for _, test := range []struct {
		name string
		mode redact.Mode
		want string
	}{{"prompts hidden", redact.ModeRedacted, events.Redacted}, {"prompts told", redact.ModeFull, "grüße 🌍"}} {
		t.Run(test.name, func(t *testing.T) {
			recorded := new(memory)
			h, _ := newTest(t, Config{Recorder: redact.New(redact.Config{Next: recorded, Prompts: redact.Policy{Mode: test.mode}})})
			item := `{"event.name":"codex.user_prompt","conversation.id":"c1","prompt":"grüße 🌍"}`
			post(t, serve(t, h), strings.NewReader(item), "Content-Type", "application/json")
			records := recorded.all()
			if len(records) != 1 {
				t.Fatalf("recorded %d; want 1", len(records))
			}
			got := attributes(records[0])
			id, _ := got["event.id"].(string)
			if id == "" {
				t.Error("event.id is absent")
			}
			delete(got, "event.id")
			want := map[string]any{
				"event.name": "codex.user_prompt", "event.timestamp": "2026-03-01T12:00:00.000Z",
				"conversation.id": "c1", "prompt": test.want, "prompt_length": int64(7), "telemetry.source": "agent",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandlerConcurrent(t *testing.T) {
	h, recorded := newTest(t, Config{})
	server := serve(t, h)
	const clients, rounds = 8, 20
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range rounds {
				body := `{"event.name":"user_prompt","conversation.id":"c1","prompt":"a"}` + "\n" + `{"event.name":"nope"}`
				response, err := server.Client().Post(server.URL+EventsPath, "application/jsonl", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
				h.Stats()
			}
		})
	}
	group.Wait()
	stats := h.Stats()
	if got := len(recorded.all()); got != clients*rounds {
		t.Errorf("recorded %d; want %d", got, clients*rounds)
	}
	if got := stats.Accepted[events.NameUserPrompt]; got != clients*rounds {
		t.Errorf("Accepted = %d; want %d", got, clients*rounds)
	}
	if got := stats.Rejected["event_name"]; got != clients*rounds {
		t.Errorf("Rejected = %d; want %d", got, clients*rounds)
	}
	ids := make(map[string]bool)
	for _, record := range recorded.all() {
		ids[record.ID] = true
	}
	if len(ids) != clients*rounds {
		t.Errorf("%d ids; want %d: the same words twice are two prompts", len(ids), clients*rounds)
	}
}
