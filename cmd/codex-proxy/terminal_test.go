package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
)

// nasty is what must not reach a terminal: commands in both their forms, a second line, a return to the beginning, other
// directions, a hidden character, bytes that are no text.
const nasty = "a\x1b[2J\x1b]0;title\x07\u009b31m\r\nlevel=ERROR msg=forged\u202egpj.exe\u2066\u200b\x7f\xff\xfe"

// checkPlain checks that text has lines and nothing else that is not to be seen.
func checkPlain(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%s has %U: %.300q", what, r, text)
			return
		}
	}
	if strings.Contains(text, "\nlevel=ERROR") || len(text) > 64<<10 {
		t.Errorf("%s is %d bytes: %.300q; want no forged line and nothing huge", what, len(text), text)
	}
}

// TestLogIsPlain logs it, in both formats: as message of a library, as value and as error.
func TestLogIsPlain(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		logger := newLogger(&out, config.Log{Format: format, Level: "debug"})
		logger.Info("a \U000e0001 message: "+nasty, "key", nasty, "error", fmt.Errorf("read: %s", nasty)) //nolint:sloglint // what libraries log
		checkPlain(t, format, out.String())
		if lines := strings.Count(out.String(), "\n"); lines != 1 {
			t.Errorf("%s: %d lines; want one", format, lines)
		}
		if format == "json" {
			var line struct{ Key string }
			if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Key != strings.ToValidUTF8(nasty, "\ufffd\ufffd") {
				t.Errorf("key = %q, %v; want what was logged", line.Key, err)
			}
		}
	}
}

// TestUpstreamErrorIsPlain has upstreams whose answers are no HTTP and stand in the error.
func TestUpstreamErrorIsPlain(t *testing.T) {
	for _, answer := range []string{nasty + "\r\n\r\n", "HTTP/1.1 200 " + nasty + "\r\n\r\n", "HTTP/1.1 200 OK\r\n\x1b[31m\u202e: x\r\n\r\n", "HTTP/1.1 2\u202e0 OK\r\n\r\n"} {
		upstream := newScriptedUpstream(t, answer)
		var stderr bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		addrs, code := make(chan net.Addr, 1), make(chan int, 1)
		a := &app{stdout: io.Discard, stderr: &stderr, onListen: func(addr net.Addr) { addrs <- addr }}
		t.Setenv("CODEX_PROXY_STORE_DIR", "memory")
		go func() {
			code <- a.run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--upstream", "http://" + upstream.listener.Addr().String() + "/v1"})
		}()
		status, body := send(t, http.MethodPost, "http://"+(<-addrs).String()+"/v1/responses", "{}", nil)
		cancel()
		<-code
		if status != http.StatusBadGateway {
			continue // the second line is one that is passed on
		}
		var told struct{ Error struct{ Message string } }
		if err := json.Unmarshal([]byte(body), &told); err != nil || told.Error.Message == "" {
			t.Fatalf("answer %q: %v", body, err)
		}
		checkPlain(t, "answer", told.Error.Message)
		checkPlain(t, "log", stderr.String())
	}
}

// TestCommandsArePlain has a proxy whose ledger and refusals are made to be shown.
func TestCommandsArePlain(t *testing.T) {
	huge := strings.Repeat(nasty, 10_000)
	account := accountView{Observed: 1, Dropped: map[string]int64{nasty: 1, huge: 2}, Rejected: map[string]int64{nasty: 1}}
	view := ledgerView{Events: map[string]accountView{nasty: account, huge: account}, Total: account, Trouble: nasty}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == ledgerPath {
			_ = json.NewEncoder(w).Encode(view)
			return
		}
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, nasty)
	}))
	defer server.Close()
	for _, command := range []string{"ledger", "tail"} {
		var stdout, stderr bytes.Buffer
		run(t.Context(), []string{command, "--url", server.URL}, strings.NewReader(""), &stdout, &stderr)
		if stdout.Len()+stderr.Len() == 0 {
			t.Errorf("%s shows nothing", command)
		}
		checkPlain(t, command, stdout.String())
		checkPlain(t, command, stderr.String())
	}
}

// TestReportsArePlain has a proxy whose answers to reports are made to be shown.
func TestReportsArePlain(t *testing.T) {
	for _, text := range []string{nasty, strings.Repeat(nasty, 10_000)} {
		problems := slices.Repeat([]report.Problem{{Field: text, Message: text}}, 2)
		for status, answer := range map[int]report.Answer{
			http.StatusAccepted:            {Accepted: 1, Trouble: text},
			http.StatusUnprocessableEntity: {Rejected: 2, Errors: problems},
			http.StatusBadRequest:          {Error: text},
		} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(answer)
			}))
			var stdout, stderr bytes.Buffer
			run(t.Context(), []string{"report", "--url", server.URL, "--event", "user_prompt", "--timeout", "30s"}, strings.NewReader(""), &stdout, &stderr)
			server.Close()
			if stderr.Len() == 0 {
				t.Errorf("of status %d nothing is shown", status)
			}
			checkPlain(t, "report", stdout.String()+stderr.String())
		}
	}
}

// TestDoctorIsPlain has a file whose name is made to be shown.
func TestDoctorIsPlain(t *testing.T) {
	file := filepath.Join(t.TempDir(), nasty+".toml")
	if err := os.WriteFile(file, []byte("[store]\ndir = \"memory\"\n[upstream]\nbase_url = \"http://127.0.0.1:1/v1\"\n"), 0o600); err != nil {
		t.Skip(err) // Not every system has such names.
	}
	for _, format := range []string{"--json", "--json=false"} {
		var stdout, stderr bytes.Buffer
		run(t.Context(), []string{"doctor", "--config", file, "--listen", "127.0.0.1:2", format}, strings.NewReader(""), &stdout, &stderr)
		if !strings.Contains(stdout.String(), "gpj.exe") {
			t.Errorf("doctor %s does not show the file: %q", format, stdout.String())
		}
		checkPlain(t, "doctor", stdout.String())
		checkPlain(t, "doctor", stderr.String())
	}
}

// TestEventsAreShownPlain shows records of such traffic as `tail` and `demo` do.
func TestEventsAreShownPlain(t *testing.T) {
	keys := []string{
		"conversation.id", "model", "prompt", "tool_name", "call_id", "arguments", "output", "error.message", "decision", "source",
		"event.kind", "originator", "endpoint", "terminal.type", "cf_ray", "http.request.method", "stream.ended_by", "response.id", "body",
		"approval_policy", "sandbox_policy", "reasoning_effort", "severity", nasty,
	}
	for _, name := range []string{
		"codex.user_prompt", "codex.tool_result", "codex.tool_decision", "codex.api_request", "codex.sse_event", "codex.conversation_starts", nasty,
	} {
		for _, text := range []string{nasty, strings.Repeat(nasty, 10_000)} {
			showPlain(t, name, text, keys...)
		}
		for _, key := range keys { // A line is cut before it shows all of them.
			showPlain(t, name, nasty, key)
		}
	}
}

// showPlain shows a record whose attributes all have the same text.
func showPlain(t *testing.T, name, text string, keys ...string) {
	t.Helper()
	attributes := map[string]any{"event.name": name}
	for _, key := range keys {
		attributes[key] = text
	}
	data, err := json.Marshal(attributes)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	renderer := &console.Renderer{W: &out, Width: 120}
	if err := renderer.Event(console.Event{Name: name, Data: data}); err != nil {
		t.Fatal(err)
	}
	if err := renderer.Flush(); err != nil {
		t.Fatal(err)
	}
	if out.Len() == 0 {
		t.Errorf("%.40q is not shown", name)
	}
	checkPlain(t, name, out.String())
}
