package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/report"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

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
	return followFeed(t.Context(), console.FollowConfig{
		URL: l.url, OnEvent: func(event console.Event) { l.add("live feed", event.Data) },
	})
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
