package console

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/events"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// script collects events, each some milliseconds after the one before.
type script struct {
	at     time.Time
	events []Event
}

func (s *script) add(after int, conversation, response string, event events.Event) {
	s.at = s.at.Add(time.Duration(after) * time.Millisecond)
	scope := testScope(conversation)
	scope.ResponseID = response
	scope.Model = "gpt-5.1-codex"
	record := events.Record{Event: event, Scope: scope, Time: s.at}
	s.events = append(s.events, Event{Name: event.EventName(), Data: AppendJSON(nil, &events.Encoder{}, record)})
}

func sseEvent(kind string, duration int64) *events.SSEEvent {
	return &events.SSEEvent{Kind: events.Some("response." + kind), DurationMS: events.Some(duration)}
}

// turnScript is a turn with two parallel conversations and every kind of event.
func turnScript() []Event {
	const one, two = "0199a213-81c0-7800-8aa1-bbab2aa203a3", "0199a213-81c0-7800-8aa1-bbab2a77ee01"
	s := &script{at: start}
	s.add(0, one, "", &events.ConversationStarts{
		ReasoningEffort: events.Some("high"), ApprovalPolicy: events.Some("on-request"),
		SandboxPolicy: events.Some("workspace-write"), ContextWindow: events.Some[int64](272000),
	})
	s.add(0, one, "", &events.UserPrompt{Length: 24, Prompt: events.Some(events.Redacted)})
	s.add(8, one, "", &events.APIRequest{
		DurationMS: 412, StatusCode: events.Some[int64](200), CFRay: "8f0abc-SJC", Method: "POST", Endpoint: "/responses",
	})
	s.add(5, one, "resp_1", sseEvent("created", 5))
	for range 14 {
		s.add(50, one, "resp_1", sseEvent("output_text.delta", 50))
		s.add(1, two, "resp_2", sseEvent("reasoning_summary_text.delta", 51))
	}
	s.add(71, one, "resp_1", sseEvent("output_text.done", 71))
	completed := sseEvent("completed", 2)
	completed.Usage = &events.Usage{Input: 1200, Cached: events.Some[int64](1024), Output: 42, Reasoning: events.Some[int64](10), Total: 1242}
	completed.TTFTMS = events.Some[int64](120)
	completed.EndedBy = "completed"
	s.add(2, one, "resp_1", completed)
	s.add(90, one, "resp_1", &events.ToolDecision{ToolName: "shell", CallID: "c1", Decision: "approved", Decider: events.Some("config")})
	s.add(0, one, "resp_1", &events.ToolDecision{ToolName: "apply_patch", CallID: "c2", Decision: "denied", Decider: events.Some("user")})
	s.add(0, one, "resp_1", &events.ToolDecision{ToolName: "shell", CallID: "c3", Decision: "approved_for_session"})
	s.add(266, one, "resp_1", &events.ToolResult{
		ToolName: "shell", Arguments: events.Some(`{"command":["bash","-lc","echo hi"]}`),
		DurationMS: events.Some[int64](266), Success: true, Output: events.Some("hi\n"),
	})
	s.add(1, one, "resp_1", &events.ToolResult{ToolName: "mcp__tracker__create_an_issue", Output: events.Some("one\ntwo\n")})
	s.add(20, two, "", &events.APIRequest{
		DurationMS: 12, StatusCode: events.Some[int64](429), ErrorMessage: "http 429", Attempt: 1, Method: "POST", Endpoint: "/responses",
	})
	s.add(20, two, "", &events.APIRequest{DurationMS: 3, ErrorMessage: "dial tcp: connection refused", Attempt: 2, Method: "POST", Endpoint: "/responses"})
	s.add(20, two, "", &events.APIRequest{DurationMS: 3, ErrorMessage: "context canceled", ClientGone: true, Method: "POST", Endpoint: "/responses"})
	s.add(20, two, "resp_2", &events.SSEEvent{ErrorMessage: "Transport error: network error: error decoding response body", EndedBy: "upstream"})
	s.add(0, two, "resp_3", &events.SSEEvent{Kind: events.Some("response.failed"), ErrorMessage: "rate limit exceeded"})
	s.add(0, two, "resp_3", &events.SSEEvent{Kind: events.Some("response.completed"), ErrorMessage: "stream closed before response.completed", EndedBy: "client", ClientGone: true})
	noUsage := sseEvent("completed", 2)
	noUsage.EndedBy = "completed"
	s.add(0, "", "", noUsage)
	s.add(5, one, "resp_4", sseEvent("created", 5))
	return s.events
}

// hostileScript is what a hostile upstream, model or tool may say.
func hostileScript() []Event {
	const evil = "\x1b[2J\x1b]0;title\a\u009b31m \u202egpj.exe\u2069 \x00\xff\r\nforged line\u2028\U000e0041 ok"
	s := &script{at: start}
	s.add(0, evil, "", &events.UserPrompt{Length: 3, Prompt: events.Some(evil)})
	s.add(0, "c", "", &events.APIRequest{Method: evil, Endpoint: evil, CFRay: evil, ErrorMessage: evil})
	s.add(0, "c", evil, &events.SSEEvent{Kind: events.Some(evil), ErrorMessage: evil})
	s.add(0, "c", evil, &events.SSEEvent{Kind: events.Some(evil), EndedBy: evil})
	s.add(0, "c", evil, &events.ToolDecision{ToolName: evil, Decision: evil, Decider: events.Some(evil)})
	s.add(0, "c", evil, &events.ToolResult{ToolName: evil, Arguments: events.Some(evil), Output: events.Some(evil)})
	s.add(0, "c", evil, &events.ConversationStarts{ApprovalPolicy: events.Some(evil), SandboxPolicy: events.Some(evil)})
	s.add(0, "c", "", &events.ToolResult{ToolName: "wide", Arguments: events.Some(strings.Repeat("漢字😀", 50)), Output: events.Some(strings.Repeat("e\u0301", 200))})
	s.events = append(
		s.events,
		Event{Name: evil, Data: []byte(evil)},
		Event{Name: "x", Data: []byte(`{"event.name":"codex.` + strings.Repeat("future", 20) + `","event.timestamp":"later","body":"\u001b[31mred"}`)},
		Event{Name: "x", Data: []byte(`{"event.name":7}`)},
	)
	return s.events
}

func render(t *testing.T, r *Renderer, script []Event) []byte {
	t.Helper()
	var out bytes.Buffer
	r.W = &out
	r.Location = time.UTC
	for _, event := range script {
		if err := r.Event(event); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Missed(Missed{N: events.Some[int64](3), Reason: ReasonSlow}); err != nil {
		t.Fatal(err)
	}
	if err := r.Missed(Missed{Reason: ReasonRestart}); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRenderer(t *testing.T) {
	tests := []struct {
		file     string
		renderer *Renderer
		script   []Event
	}{
		{"turn.txt", &Renderer{}, turnScript()},
		{"turn-80.txt", &Renderer{Width: 80}, turnScript()},
		{"turn-color.txt", &Renderer{Width: 100, Color: true}, turnScript()},
		{"turn.jsonl", &Renderer{JSON: true}, turnScript()},
		{"hostile.txt", &Renderer{}, hostileScript()},
		{"hostile-60.txt", &Renderer{Width: 60}, hostileScript()},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			got := render(t, test.renderer, test.script)
			golden(t, test.file, got)
			for line := range strings.Lines(string(got)) {
				line = strings.TrimSuffix(line, "\n")
				if width := test.renderer.Width; width > 0 && !test.renderer.Color && textColumns(line) > width {
					t.Errorf("line is %d columns wide; want %d at most: %s", textColumns(line), width, line)
				}
				for _, r := range line {
					if !unicode.IsPrint(r) && !test.renderer.Color {
						t.Errorf("line has %U: %q", r, line)
					}
				}
			}
		})
	}
}

func TestRendererFlushes(t *testing.T) {
	var out bytes.Buffer
	r := &Renderer{W: &out, Location: time.UTC}
	s := &script{at: start}
	s.add(0, "one", "r", sseEvent("output_text.delta", 1))
	s.add(1, "one", "r", sseEvent("output_text.delta", 1))
	for _, event := range s.events {
		if err := r.Event(event); err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() != 0 {
		t.Errorf("printed %q before Flush; want nothing", out.String())
	}
	for range 2 { // The second time there is nothing to tell.
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "12:03:07.413  one     · 2 deltas\n"; got != want {
		t.Errorf("Flush printed %q; want %q", got, want)
	}
}

// TestRendererBoundsStreams opens streams that never end.
func TestRendererBoundsStreams(t *testing.T) {
	var out bytes.Buffer
	r := &Renderer{W: &out}
	s := &script{at: start}
	const total = 3*maxStreams + 7
	for n := range total {
		s.add(1, "c", string(rune('一'+n)), sseEvent("output_text.delta", 1))
	}
	for _, event := range s.events {
		if err := r.Event(event); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.streams) > maxStreams {
		t.Errorf("renderer keeps %d streams; want %d at most", len(r.streams), maxStreams)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(out.Bytes(), []byte("1 delta\n")); got != total {
		t.Errorf("%d deltas were told; want %d", got, total)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestRendererTellsWriteErrors(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, r := range []*Renderer{{}, {JSON: true}} {
		r.W = brokenWriter{broken}
		if err := r.Event(turnScript()[0]); !errors.Is(err, broken) {
			t.Errorf("Event() = %v; want %v", err, broken)
		}
		if err := r.Missed(Missed{}); !errors.Is(err, broken) {
			t.Errorf("Missed() = %v; want %v", err, broken)
		}
	}
}
