package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// reportRun runs `codex-proxy report` and returns its exit code and what it printed.
func reportRun(t *testing.T, stdin string, args ...string) (code int, printed string) {
	t.Helper()
	var out bytes.Buffer
	code = run(t.Context(), append([]string{"report"}, args...), strings.NewReader(stdin), &out, &out)
	return code, out.String()
}

func TestReportCommand(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	collector := startSink(t)
	p := startProxy(t, responsestest.NewServer(t).BaseURL(), "[otel]\nlog_user_prompt = true\nexporter = { otlp-http = { endpoint = \""+
		collector.URL+"/logs\", protocol = \"json\" } }\n")
	hook := func(name string) string {
		raw, err := os.ReadFile(filepath.Join("..", "..", "internal", "report", "testdata", "hooks", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, step := range []struct {
		name  string
		stdin string
		args  []string
		code  int
		print string
	}{
		{"flags", "", []string{"--event", "user_prompt", "--attr", "conversation.id=c1", "--attr", "prompt=a=b"}, 0, ""},
		{"an object", `{"event.name":"user_prompt","conversation.id":"c1","prompt":"object"}`, nil, 0, ""},
		{"lines", promptReport + "\n" + promptReport, nil, 0, ""},
		{"rejected", `{"event.name":"user_prompt","conversation.id":"c1","promt":"x"}`, nil, 1, "status 400: every item was rejected\n  promt: unknown key for codex.user_prompt; did you mean prompt?"},
		{"partly rejected", promptReport + "\n{}", nil, 1, "1 of 2 items rejected"},
		{"rejected quietly", `{}`, []string{"--quiet"}, 0, ""},
		{"nothing", "", nil, 1, "read standard input"},
		{"attributes without an event", "", []string{"--attr", "a=b"}, 1, "--attr needs --event"},
		{"no such event", "", []string{"--event", "nope"}, 1, "want an event of"},
		{"unknown flag", "", []string{"--nope"}, 2, "unknown flag"},
		{"unknown flag, quiet", "", []string{"--nope", "--quiet"}, 0, ""},
		{"hook: a question", hook("permission_request"), []string{"--codex-hook", "--quiet"}, 0, ""},
		{"hook: its answer", hook("post_tool_use"), []string{"--codex-hook", "--quiet"}, 0, ""},
		{"hook: nothing to tell", hook("stop"), []string{"--codex-hook"}, 0, ""},
		{"hook: no hook", "hello", []string{"--codex-hook"}, 1, "read hook"},
		{"hook: no hook, quiet", "hello", []string{"--codex-hook", "--quiet"}, 0, ""},
	} {
		code, printed := reportRun(t, step.stdin, append(step.args, "--url", p.url)...)
		if code != step.code || !strings.Contains(printed, step.print) || step.print == "" && printed != "" {
			t.Errorf("%s: exit code %d, printed %q; want %d, %q", step.name, code, printed, step.code, step.print)
		}
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d; want 0", code)
	}
	var prompts []string
	for _, attrs := range collector.named("codex.user_prompt") {
		prompts = append(prompts, attrs["prompt"])
	}
	if got := strings.Join(prompts, " "); got != "a=b object hello hello hello" {
		t.Errorf("prompts = %s; want all that were reported", got)
	}
	if decisions := collector.named("codex.tool_decision"); len(decisions) != 1 || decisions[0]["source"] != "user" || decisions[0]["decision"] != "approved" {
		t.Errorf("decisions = %v; want one by the user", decisions)
	}
}

func TestReportCommandWithoutProxy(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, test := range []struct{ name, url, want string }{
		{"nobody listens", closed.URL, "no codex-proxy at " + closed.URL},
		{"nobody answers", silent.URL, "in time"},
		{"somebody else", other.URL, "is no codex-proxy"},
		{"no URL", "127.0.0.1:8787", "want http://host:port"},
		{"a credential", "http://user:hunter2@" + strings.TrimPrefix(closed.URL, "http://"), "no codex-proxy at"},
	} {
		begun := time.Now()
		code, printed := reportRun(t, promptReport, "--url", test.url, "--timeout", "100ms")
		if code != 1 || !strings.Contains(printed, test.want) || strings.Contains(printed, "hunter2") {
			t.Errorf("%s: exit code %d, printed %q; want 1, %q", test.name, code, printed, test.want)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s took %s; want about 100 ms", test.name, took)
		}
		if code, printed := reportRun(t, promptReport, "--url", test.url, "--timeout", "100ms", "--quiet"); code != 0 || printed != "" {
			t.Errorf("%s, quiet: exit code %d, printed %q; want 0 and nothing", test.name, code, printed)
		}
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	q := &questions{dir: filepath.Join(t.TempDir(), "asked")}
	if q.Recall("never") {
		t.Error("Recall() = true; want false for what was never asked")
	}
	for i := range maxQuestions + 5 {
		if err := q.Remember(strings.Repeat("k", 1+i%200) + string(rune('a'+i/200))); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(q.dir)
	if err != nil || len(entries) > maxQuestions {
		t.Errorf("%d questions, %v; want at most %d", len(entries), err, maxQuestions)
	}
	if err := q.Remember("old"); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * questionAge)
	if err := os.Chtimes(filepath.Join(q.dir, "old"), long, long); err != nil {
		t.Fatal(err)
	}
	if err := q.Remember("new"); err != nil {
		t.Fatal(err)
	}
	if q.Recall("old") || !q.Recall("new") || q.Recall("new") {
		t.Error("want the new question once, and the old one forgotten")
	}
}
