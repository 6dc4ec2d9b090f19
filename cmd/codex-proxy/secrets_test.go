package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/klauspost/compress/zstd"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

// planted are credentials, by the place they are put to. Those of places that hold credentials look like nothing; those in
// texts look like what they are.
type planted map[string]string

func (p planted) put(place string) string {
	p[place] = "canary" + strings.ReplaceAll(strings.ReplaceAll(place, " ", ""), "-", "") + "Zx81Qw"
	return p[place]
}

// token puts a credential that is known by its looks.
func (p planted) token(place string) string {
	if secret, ok := p[place]; ok {
		return secret
	}
	kinds := []string{"gh" + "p_%s", "sk-" + "proj-%s", "sk-" + "ant-api03-%s", "np" + "m_%s", "glp" + "at-%s"}
	number := fmt.Sprintf("%02d", len(p))
	body := "Ab3dE6gH9jK2mN5pQ8sT" + number + "vX4yZ7aC1eF0iL"[:14]
	p[place] = fmt.Sprintf(kinds[len(p)%len(kinds)], body)
	return p[place]
}

// surfaces are what the process told, by where.
type surfaces struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (s *surfaces) add(name string, told []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string][]byte{}
	}
	s.all[name] = append(append(s.all[name], told...), '\n')
}

// writer returns a writer to a surface.
func (s *surfaces) writer(name string) io.Writer {
	return writerFunc(func(p []byte) (int, error) { s.add(name, p); return len(p), nil })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// check looks for credentials everywhere, as they are and in the encodings that this program writes.
func (s *surfaces) check(t *testing.T, credentials planted) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.all)) {
		for place, secret := range credentials {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)], url.QueryEscape(secret)} {
				if at := bytes.Index(s.all[name], []byte(form)); at >= 0 {
					t.Errorf("the %s has the credential of %s: %.200q", name, place, s.all[name][max(0, at-100):])
				}
			}
		}
	}
}

// files adds all that is below a directory: as it is on disk, and what is compressed in a database.
func (s *surfaces) files(t *testing.T, dir string) (payloads int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.add("file "+entry.Name(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	database, err := sql.Open("sqlite", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, table := range []string{"batches", "held", "history"} {
		rows, err := database.Query("SELECT payload FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var payload []byte
			if err := rows.Scan(&payload); err != nil {
				t.Fatal(err)
			}
			plain, err := decoder.DecodeAll(payload, nil)
			if err != nil {
				t.Fatal(err)
			}
			payloads++
			s.add("table "+table, plain)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return payloads
}

// leaking is a proxy that is told credentials wherever there is a place for one.
type leaking struct {
	planted
	surfaces
	url  string
	stop func() int
}

// startLeaking serves with settings, and with credentials wherever the configuration takes one.
func startLeaking(t *testing.T, settings string) *leaking {
	t.Helper()
	l := &leaking{planted: planted{}}
	settings = strings.NewReplacer("$KEY", l.put("OTLP header"), "$QUERY", l.put("OTLP query"), "$BEARER", l.put("OTLP bearer"), "$PROXY", l.put("proxy userinfo")).Replace(settings)
	file := writeConfig(t, settings)
	ctx, cancel := context.WithCancel(context.Background())
	addrs, code := make(chan net.Addr, 1), make(chan int, 1)
	a := &app{stdin: strings.NewReader(""), stdout: l.writer("stdout"), stderr: l.writer("log"), onListen: func(addr net.Addr) { addrs <- addr }}
	go func() { code <- a.run(ctx, []string{"serve", "--config", file, "--listen", "127.0.0.1:0"}) }()
	t.Cleanup(cancel)
	select {
	case addr := <-addrs:
		l.url = "http://" + addr.String()
	case c := <-code:
		t.Fatalf("serve exited with %d: %s", c, l.all["log"])
	}
	l.stop = sync.OnceValue(func() int { cancel(); return <-code })
	for _, command := range []string{"show", "check"} {
		run(t.Context(), []string{"config", command, file}, nil, l.writer("config "+command), l.writer("config "+command))
	}
	return l
}

// follow reads the live feed until the proxy stops.
func (l *leaking) follow(t *testing.T) (done <-chan struct{}) {
	t.Helper()
	ended, connected := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_ = console.Follow(ctx, console.FollowConfig{
			URL: l.url,
			OnState: func(s console.State) {
				switch s.Connection {
				case console.Connected:
					close(connected)
				case console.Lost:
					cancel()
				case console.Connecting:
				}
			},
			OnEvent: func(event console.Event) { l.add("live feed", event.Data) },
		})
	}()
	<-connected
	return ended
}

// headers adds to a request all that an agent may send.
func (l *leaking) headers(r *http.Request) {
	for name, place := range map[string]string{
		"Authorization": "Authorization", "X-Api-Key": "X-Api-Key", "Api-Key": "Api-Key", "X-Goog-Api-Key": "X-Goog-Api-Key", "Proxy-Authorization": "Proxy-Authorization",
	} {
		r.Header.Set(name, "Bearer "+l.put(place))
	}
	r.Header.Set("Cookie", "session="+l.put("cookie"))
	r.Header.Set("User-Agent", "codex_exec/0.125.0 (Debian "+l.token("User-Agent")+") "+l.token("terminal"))
	r.Header.Set("Originator", l.token("originator"))
	r.Header.Set("Thread-Id", "thread-1")
	metadata := map[string]any{
		"turn_id": "turn-1", "team": l.token("metadata"), "api_key": l.put("metadata key"),
		"workspaces": map[string]any{"/w": map[string]any{"associated_remote_urls": map[string]any{"origin": "https://u:" + l.put("remote") + "@h/r.git"}}},
	}
	text, _ := json.Marshal(metadata)
	r.Header.Set("X-Codex-Turn-Metadata", string(text))
}

// request returns a body with a prompt, a tool's call and its output.
func (l *leaking) request(call string) string {
	arguments, _ := json.Marshal(map[string]any{"command": []string{"bash", "-lc", "export KEY=\"" + l.token("arguments "+call) + "\"\ncurl -u me:" + l.put("curl "+call) + " h"}})
	body, _ := json.Marshal(map[string]any{
		"model": "gpt-5", "stream": true, "store": false, "user": l.token("user " + call),
		"input": []any{
			map[string]any{"type": "message", "role": "user", "content": []any{map[string]any{"type": "input_text", "text": "use " + l.token("prompt "+call)}}},
			map[string]any{"type": "function_call", "name": "shell", "call_id": call, "arguments": string(arguments)},
			map[string]any{"type": "function_call_output", "call_id": call, "output": "postgres://app:" + l.put("output "+call) + "@db/x\nKEY " + l.token("output token "+call)},
		},
	})
	return string(body)
}

// echo answers with all that the request said, where an upstream may say it.
func echo(r *responsestest.Request) responsestest.Response {
	said := r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Key") + " " + r.Header.Get("User-Agent") + " " + r.Header.Get("X-Goog-Api-Key") + " " + r.RawQuery
	answer := responsestest.Error(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: "+said)
	answer.Header = http.Header{
		"Set-Cookie": {"a=" + r.Header.Get("Cookie")}, "X-Openai-Authorization-Error": {said},
		"X-Error-Json": {base64.StdEncoding.EncodeToString([]byte(`{"error":{"code":"` + r.Header.Get("Authorization") + `"}}`))},
	}
	return answer
}

// ask sends a request of an agent, whatever comes of it.
func (l *leaking) ask(t *testing.T, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	l.headers(request)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode == http.StatusBadGateway { // The proxy's own.
		l.add("answer", answer)
	}
}

// report reports what has credentials, right and wrong.
func (l *leaking) report(t *testing.T) {
	t.Helper()
	items := []string{
		`{"event.name":"user_prompt","conversation.id":"c1","prompt":"take ` + l.token("reported prompt") + `"}`,
		`{"event.name":"tool_result","conversation.id":"c1","tool_name":"shell","call_id":"k","arguments":"{\"password\":\"` + l.token("reported arguments") + `\"}","duration_ms":1,"success":true,"output":"` + l.token("reported output") + `"}`,
		`{"event.name":"user_prompt","conversation.id":"` + l.token("reported conversation") + `","prompt":"x"}`,
		`{"event.name":"` + l.token("wrong name") + `"}`, `{"` + l.token("wrong key") + `":1,"event.name":"user_prompt"}`, `{"event.name":"user_prompt","prompt_length":"` + l.token("wrong value") + `"}`, l.token("no JSON"),
	}
	for _, item := range items {
		_, answer := send(t, "POST", l.url+report.EventsPath, item, l.headers)
		l.add("answer", []byte(answer))
	}
	attribute := func(key, value string) string {
		return `{"key":"` + key + `","value":{"stringValue":"` + value + `"}}`
	}
	logs := `{"resourceLogs":[{"resource":{"attributes":[` + attribute("service.name", l.token("resource")) + `]},"scopeLogs":[{"scope":{"name":"` + l.token("scope") + `"},"logRecords":[
		{"observedTimeUnixNano":"1","severityNumber":9,"body":{"stringValue":"log of ` + l.token("body") + `"},"attributes":[` +
		strings.Join([]string{
			attribute("event.name", "codex.unheard_of"), attribute("conversation.id", "c1"), attribute("http.header.authorization", l.put("attribute")),
			attribute("note", l.token("note")), attribute("prompt", l.token("foreign prompt")),
		}, ",") + `]},
		{"observedTimeUnixNano":"2","severityNumber":9,"attributes":[` +
		strings.Join([]string{
			attribute("event.name", "codex.user_prompt"), attribute("conversation.id", "c1"), attribute("prompt_length", "3"), attribute("prompt", l.token("exported prompt")),
			attribute("extra", l.token("extra")),
		}, ",") + `]}]}]}]}`
	for _, body := range []string{logs, `{"resourceLogs":"` + l.token("wrong logs") + `"}`} {
		_, answer := send(t, "POST", l.url+report.LogsPath, body, l.headers)
		l.add("answer", []byte(answer))
	}
}

// misbehave asks for what the proxy itself refuses.
func (l *leaking) misbehave(t *testing.T) {
	t.Helper()
	secret := l.token("path")
	for _, target := range []string{"/codex-proxy/" + secret, "/codex-proxy/v1/live?token=" + secret, "/metrics?key=" + secret} {
		status, answer := send(t, "PUT", l.url+target, secret, l.headers)
		l.add("answer", []byte(answer))
		if status < 400 {
			t.Errorf("PUT %s = %d; want it refused", target, status)
		}
	}
	for name, value := range map[string]string{"Origin": "https://" + l.token("origin") + ".example", "Host": l.token("host") + ".example"} {
		status, answer := send(t, "POST", l.url+"/v1/responses", "{}", func(r *http.Request) {
			r.Header.Set(name, value)
			if name == "Host" {
				r.Host = value
			}
		})
		l.add("answer", []byte(answer))
		if status != http.StatusForbidden {
			t.Errorf("%s of others = %d; want 403", name, status)
		}
	}
}

// talk sends a request over a WebSocket.
func (l *leaking) talk(t *testing.T) {
	t.Helper()
	carrier := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	l.headers(carrier)
	conn, answer, err := websocket.Dial(t.Context(), l.url+"/v1/responses?key="+l.put("WebSocket query"), &websocket.DialOptions{HTTPHeader: carrier.Header})
	if answer != nil && answer.Body != nil {
		answer.Body.Close()
	}
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	body := strings.Replace(l.request("call-ws"), `{`, `{"type":"response.create",`, 1)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(body)); err != nil {
		t.Fatal(err)
	}
	for {
		_, message, err := conn.Read(t.Context())
		if err != nil || bytes.Contains(message, []byte("response.completed")) || bytes.Contains(message, []byte("response.failed")) {
			return
		}
	}
}

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
	number := 0
	model.Func(func(r *responsestest.Request) responsestest.Response {
		number++
		switch number % 6 {
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
