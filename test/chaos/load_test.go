package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// stream is the answer of the upstream to everything.
func stream() []responsestest.Event {
	return []responsestest.Event{
		responsestest.Created("r1"), responsestest.InProgress("r1"), responsestest.TextDelta("one"), responsestest.TextDelta("two"),
		responsestest.FunctionCall("c1", "shell", `{"cmd":"ls"}`), responsestest.TextDelta("three"),
		responsestest.CompletedWithTokens("r1", responsestest.Usage{Input: 5, Output: 7}),
	}
}

// newUpstream starts an upstream that gives every call the same answer.
func newUpstream(t *testing.T, answer responsestest.Response) *responsestest.Server {
	t.Helper()
	upstream, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: responsestest.WebSocketPlain, MaxRequests: 1})
	if err != nil {
		t.Fatal(err)
	}
	upstream.Any(answer)
	return upstream
}

const question = `{"model":"m","stream":true,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}]}`

// agentKey is the key that agents send, which is for the upstream alone.
const agentKey = "sk-of-a-test-0123456789"

func agentHeader(conversation string) http.Header {
	return http.Header{
		"User-Agent": {"codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm"}, "Originator": {"codex_exec"}, "Thread-Id": {conversation},
		"Session-Id": {conversation}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + agentKey},
	}
}

// asker has one exchange in a conversation and reads the answer to its end.
type asker func(ctx context.Context, base, conversation string) error

// askStream wants the stream byte by byte.
func askStream(client *http.Client) asker { return askWith(client, question) }

// askWith is askStream with another question.
func askWith(client *http.Client, question string) asker {
	want := string(responsestest.SSE(stream()...))
	return func(ctx context.Context, base, conversation string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/responses", strings.NewReader(question))
		if err != nil {
			return err
		}
		req.Header = agentHeader(conversation)
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if err != nil {
			return fmt.Errorf("read stream: %w", err)
		}
		if res.StatusCode != http.StatusOK || string(got) != want {
			return fmt.Errorf("status %d, stream %q", res.StatusCode, got)
		}
		return nil
	}
}

// askSocket wants the messages of the stream.
func askSocket(ctx context.Context, base, conversation string) error {
	conn, _, err := websocket.Dial(ctx, base+"/v1/responses", &websocket.DialOptions{
		HTTPHeader: agentHeader(conversation), CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"type":"response.create",`+question[1:])); err != nil {
		return err
	}
	for _, event := range stream() {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		if string(message) != event.Data {
			return fmt.Errorf("message %q; want %q", message, event.Data)
		}
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}

// kinds are the ways to ask.
const (
	overSSE    = "sse"
	overSocket = "websocket"
)

// exchange is one that came to its end.
type exchange struct {
	kind, conversation string
	at                 time.Time
	round              int           // in which it was
	age                time.Duration // when the proxy ended
	calm               bool          // the machine was, so that nothing excuses a loss
}

// load is agents that ask one question after the other.
type load struct {
	t      *testing.T
	client *http.Client

	mu       sync.Mutex
	number   int
	among    int // so many conversations; 0: each exchange has its own
	finished []exchange
	ending   bool // the proxy is being ended, so that errors are to be expected
}

func newLoad(t *testing.T) *load {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &load{t: t, client: &http.Client{Transport: transport}}
}

// run asks over each kind with so many agents, each no more often than pace says, until ctx ends.
func (l *load) run(ctx context.Context, base string, agents map[string]int, pace time.Duration) {
	var all sync.WaitGroup
	askers := map[string]asker{overSSE: askStream(l.client), overSocket: askSocket}
	for kind, n := range agents {
		for range n {
			all.Go(func() {
				tick := time.NewTicker(pace)
				defer tick.Stop()
				for l.once(ctx, base, kind, askers[kind]) {
					select {
					case <-tick.C:
					case <-ctx.Done():
						return
					}
				}
			})
		}
	}
	all.Wait()
	l.client.CloseIdleConnections()
}

// once has one exchange and reports whether there may be more.
func (l *load) once(ctx context.Context, base, kind string, ask asker) bool {
	l.mu.Lock()
	l.number++
	number := l.number
	if l.among > 0 {
		number %= l.among
	}
	conversation := fmt.Sprintf("%s-%d", kind, number)
	l.mu.Unlock()
	err := ask(ctx, base, conversation)
	at := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.finished = append(l.finished, exchange{kind: kind, conversation: conversation, at: at})
		return true
	case !l.ending && !errors.Is(ctx.Err(), context.Canceled):
		l.t.Errorf("%s: %v; want traffic as if there were no proxy", conversation, err)
	}
	return !l.ending
}

// end says that the proxy is being ended now, or is not any more.
func (l *load) end(ending bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = ending
}

// take returns the exchanges that came to their end since the last call.
func (l *load) take() []exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	finished := l.finished
	l.finished = nil
	return finished
}
