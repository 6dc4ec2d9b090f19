package main

import (
	"bytes"
	"fmt"
	"io"
	"log" //nolint:depguard // what libraries use
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// TestCredentialsStayHome plants credentials wherever an agent, an upstream, a collector and a user may put one, and looks for
// them in all that the process writes: its log at its most talkative, what it exports, shows and answers, its files.
func TestCredentialsStayHome(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		for _, schema := range []string{"typed", "codex"} {
			for _, collector := range []string{"takes", "refuses", "is away"} {
				t.Run(format+" "+schema+" "+collector, func(t *testing.T) { stayHome(t, format, schema, collector, true) })
			}
		}
	}
	// What is a credential by its place does not depend on looks.
	t.Run("without recognition", func(t *testing.T) { stayHome(t, "json", "typed", "refuses", false) })
}

// structural returns the credentials of places that are for credentials.
func (p planted) structural() planted {
	found := planted{}
	for place, secret := range p {
		switch name, _, _ := strings.Cut(strings.TrimRight(place, "0123456789"), " "); name {
		case "Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Proxy-Authorization", "cookie", "query", "WebSocket", "OTLP", "proxy", "remote":
			found[place] = secret
		}
	}
	return found
}

func stayHome(t *testing.T, format, schema, collector string, recognize bool) {
	t.Helper()
	exported := &surfaces{}
	received := 0
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		exported.add("export", body)
		received++
		said := r.Header.Get("X-Key") + " " + r.Header.Get("Authorization")
		switch collector {
		case "refuses":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "no such key: "+said)
		case "is away":
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "later: "+said)
		}
	}))
	defer sink.Close()
	model, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: responsestest.WebSocketPlain})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state")
	l := startLeaking(t, `
[upstream]
base_url = "`+model.BaseURL()+`"
[server]
flush_timeout = "1s"
[report]
merge_grace = "100ms"
[log]
level = "debug"
format = "`+format+`"
[store]
dir = `+strconv.Quote(dir)+`
history = true
[content]
redact_credentials = `+strconv.FormatBool(recognize)+`
[otel]
log_user_prompt = true
schema = "`+schema+`"
exporter = { otlp-http = { endpoint = "`+sink.URL+`/logs?key=$QUERY", protocol = "json", timeout = "500ms", headers = { "X-Key" = "$KEY", authorization = "Bearer $BEARER" } } }
`)
	followed := l.follow(t)

	secret := l.token("stream")
	call := responsestest.Stream(responsestest.Created("r1"), responsestest.FunctionCall("k2", "shell", `{"password":"`+secret+`"}`), responsestest.Completed("r1"))
	failure := responsestest.Stream(responsestest.Created("r2"), responsestest.Failed("r2", "server_error", "we failed with "+secret))
	cut := responsestest.Response{Events: call.Events[:1], Abort: responsestest.AbortStream}
	var number atomic.Int64
	model.Func(func(r *responsestest.Request) responsestest.Response {
		switch number.Add(1) % 6 {
		case 1:
			return call
		case 2:
			return failure
		case 3:
			return echo(r)
		case 4:
			return cut
		case 5:
			return responsestest.Response{Abort: responsestest.AbortBeforeHeaders}
		default:
			return responsestest.Response{Status: http.StatusTeapot, Body: []byte("data: " + secret + "\n\n" + secret)}
		}
	})
	for i := range 6 {
		l.ask(t, "/v1/responses?key="+l.put(fmt.Sprint("query", i)), l.request(fmt.Sprint("call-", i)))
	}
	l.talk(t)
	l.report(t)
	l.misbehave(t)
	for name, path := range map[string]string{"metrics": "/metrics", "ledger": ledgerPath, "readyz": "/readyz"} {
		_, answer := send(t, "GET", l.url+path, "", nil)
		l.add(name, []byte(answer))
	}
	if code := l.stop(); code != 0 {
		t.Errorf("exit code %d; want 0", code)
	}
	<-followed
	if payloads := l.files(t, dir); payloads == 0 {
		t.Error("nothing is on disk; want a history")
	}
	for name, told := range exported.all {
		l.add(name, told)
	}
	if recognize {
		l.check(t, l.planted)
	} else {
		l.check(t, l.structural())
	}
	for name, least := range map[string]int{"log": 500, "export": 5000, "live feed": 5000, "metrics": 5000, "ledger": 100, "answer": 500, "config show": 1000, "table history": 5000, "file state.db": 4096} {
		if len(l.all[name]) < least {
			t.Errorf("the %s has %d bytes; want it told, to look into it", name, len(l.all[name]))
		}
	}
	for _, name := range []string{"export", "live feed", "table history"} {
		if n := bytes.Count(l.all[name], []byte("[REDACTED:")); recognize == (n < 20) {
			t.Errorf("the %s has %d marks of credentials; want what was told with them", name, n)
		}
	}
}

// TestCredentialsStayHomeWhenNothingAnswers does the same where neither the upstream, nor the proxy on the way there, nor the
// collector can be reached: errors of connections like to tell all they were given.
func TestCredentialsStayHomeWhenNothingAnswers(t *testing.T) {
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	for name, settings := range map[string]string{
		"upstream":  "[upstream]\nbase_url = \"http://" + nobody + "/v1\"\n",
		"TLS":       "[upstream]\nbase_url = \"https://" + nobody + "/v1\"\n",
		"proxy":     "[upstream]\nbase_url = \"http://api.example/v1\"\nproxy = \"http://me:$PROXY@" + nobody + "\"\n",
		"proxy TLS": "[upstream]\nbase_url = \"https://api.example/v1\"\nproxy = \"http://me:$PROXY@" + nobody + "\"\n",
		"no host":   "[upstream]\nbase_url = \"https://nobody.invalid/v1\"\n",
	} {
		for _, exporter := range []string{
			`{ otlp-http = { endpoint = "http://` + nobody + `/logs?key=$QUERY", protocol = "json", timeout = "200ms", headers = { "X-Key" = "$KEY" } } }`,
			`{ otlp-grpc = { endpoint = "http://` + nobody + `", timeout = "200ms", headers = { "x-key" = "$KEY", authorization = "Bearer $BEARER" } } }`,
		} {
			t.Run(name+" "+exporter[2:11], func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "state")
				l := startLeaking(t, settings+"[report]\nmerge_grace = \"10ms\"\n[server]\nflush_timeout = \"300ms\"\n[log]\nlevel = \"debug\"\n[store]\ndir = "+
					strconv.Quote(dir)+"\n[otel]\nlog_user_prompt = true\nexporter = "+exporter+"\n")
				l.ask(t, "/v1/responses?key="+l.put("query"), l.request("call"))
				l.talk(t)
				l.report(t)
				if code := l.stop(); code != 0 {
					t.Errorf("exit code %d; want 0", code)
				}
				if payloads := l.files(t, dir); payloads == 0 {
					t.Error("nothing is on disk; want what waits")
				}
				l.check(t, l.planted)
				for name, least := range map[string]int{"log": 500, "answer": 100, "table batches": 1000} {
					if len(l.all[name]) < least {
						t.Errorf("the %s has %d bytes; want it told, to look into it", name, len(l.all[name]))
					}
				}
			})
		}
	}
}

// TestConfigErrorsTellNoCredentials breaks configurations in the midst of credentials.
func TestConfigErrorsTellNoCredentials(t *testing.T) {
	for _, broken := range []string{
		"[upstream]\nproxy = \"http://me:$PROXY@[::1\"\n", "[upstream]\nproxy = \"$PROXY\"\n", "[upstream]\nproxy = $PROXY\n", "[upstream]\nbase_url = \"https://me:$PROXY@h/v1\"\n",
		"[upstream]\nbase_url = \"http://h:$PROXY/v1\"\n", "[otel]\nexporter = { otlp-http = { endpoint = \"http://me:$KEY@h/\", protocol = \"json\" } }\n",
		"[otel]\nexporter = { otlp-http = { endpoint = \"http://h\", protocol = \"$KEY\", headers = { \"a b\" = \"$KEY\" } } }\n",
		"[otel]\nexporter = { otlp-grpc = { endpoint = \"http://h\", headers = { x-key = [\"$KEY\"], \"$KEY\" = \"$BEARER\" } } }\n",
		"[otel]\nexporter = { otlp-http = { endpoint = \"http://h\", protocol = \"json\", headers = { x = \"$KEY\nq\" } }\n", "[otel]\nexporter = \"$KEY\"\n", "token = \"$KEY\"\n",
	} {
		l := &leaking{planted: planted{}}
		text := strings.NewReplacer("$KEY", l.put("OTLP header"), "$BEARER", l.put("OTLP bearer"), "$PROXY", l.put("proxy userinfo")).Replace(broken)
		file := writeConfig(t, text)
		for _, args := range [][]string{{"config", "check", file}, {"config", "show", file}, {"serve", "--config", file}} {
			if code := run(t.Context(), args, nil, l.writer("answer"), l.writer("answer")); code == 0 {
				t.Errorf("%s of %q went well; want it refused", args, broken)
			}
		}
		l.check(t, l.planted)
	}
}

// TestLibrariesLogNothing logs past every logger, as net/http does with the bytes of a response that nobody asked for.
func TestLibrariesLogNothing(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	p := startProxy(t, "http://127.0.0.1:1/v1", "")
	log.Print("bytes of the traffic") // The same default serves both packages.
	p.stop()
	if got := out.String() + p.log(); strings.Contains(got, "bytes of the traffic") {
		t.Errorf("the log has %q; want none of it", got)
	}
}
