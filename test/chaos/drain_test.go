package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// live is a stream or a WebSocket under way.
type live struct {
	conversation string
	stays        bool // does not end in the grace period
	body         io.ReadCloser
	conn         *websocket.Conn
}

// rest reads on to the end and reports whether it was a proper one.
func (l *live) rest(ctx context.Context) (complete bool) {
	if l.body != nil {
		defer l.body.Close()
		rest, err := io.ReadAll(l.body)
		return err == nil && strings.Contains(string(rest), "response.completed")
	}
	defer func() { _ = l.conn.CloseNow() }()
	for {
		_, message, err := l.conn.Read(ctx)
		if err != nil {
			return false
		}
		if strings.Contains(string(message), `"type":"response.completed"`) {
			return l.conn.Close(websocket.StatusNormalClosure, "") == nil
		}
	}
}

// TestDrain sends SIGTERM while 200 streams are live, half of them over WebSocket. The proxy takes no new ones at once. Those
// that end within the grace period end properly, the others are cut when it is over, and of each there is one final record
// that says so. The books balance over the restart, and the exit code is 0.
func TestDrain(t *testing.T) {
	const streams = 200
	const grace = 4 * time.Second
	soon, never := responsestest.NewGate(), responsestest.NewGate()
	defer never.Open()
	upstream, err := responsestest.Start(responsestest.Options{TB: t, WebSocket: responsestest.WebSocketPlain})
	if err != nil {
		t.Fatal(err)
	}
	events := stream()
	held := func(gate *responsestest.Gate) responsestest.Response {
		return responsestest.Stream(append(append(events[:2:2], gate.Stop()), events[2:]...)...)
	}
	upstream.Match(func(r *responsestest.Request) bool { return bytes.Contains(r.Body, []byte("stays")) }, held(never))
	upstream.Any(held(soon))
	c := newCollector(t, rand.New(rand.NewPCG(1, 1)))
	settings := strings.Replace(config(upstream.BaseURL(), c.address, t.TempDir()), `"5s"`, strconv.Quote(grace.String()), 1)
	p := start(t, settings)

	all := make([]*live, streams)
	var opened sync.WaitGroup
	for i := range all {
		opened.Go(func() { all[i] = open(t, p.url, "c"+strconv.Itoa(i), i%2 == 1, i%4 < 2) })
	}
	opened.Wait()
	if t.Failed() {
		return
	}
	var ended sync.WaitGroup
	complete, ends := make([]bool, streams), make([]time.Time, streams)
	for i, l := range all {
		ended.Go(func() {
			complete[i] = l.rest(t.Context())
			ends[i] = time.Now()
		})
	}

	terminated := time.Now()
	p.terminate(t)
	refused := untilRefused(t, p.url)
	if refused.Sub(terminated) > grace/2 {
		t.Errorf("new connections were taken for %v after SIGTERM; want none", refused.Sub(terminated))
	}
	soon.Open()
	ended.Wait()
	p.exited(t)
	took := time.Since(terminated)
	if took < grace || took > grace+10*time.Second {
		t.Errorf("the proxy was there for %v; want the grace period of %v for the streams that do not end", took, grace)
	}
	for i, l := range all {
		if complete[i] == l.stays {
			t.Errorf("stream %d ended properly = %t; want %t", i, complete[i], !l.stays)
		}
		if after := ends[i].Sub(terminated); l.stays && after < grace {
			t.Errorf("stream %d was cut after %v; want it to live for %v", i, after, grace)
		}
	}

	p = start(t, settings)
	final := p.until(t, "empty queue", func(b books) bool { return b.Total.Queued == 0 })
	p.terminate(t)
	p.exited(t)
	facts := c.facts()
	for _, l := range all {
		by, other := "codex.sse_event completed", "codex.sse_event proxy"
		if l.stays {
			by, other = other, by
		}
		if got := facts[l.conversation]; got[by] != 1 || got[other] != 0 {
			t.Errorf("records of %s = %v; want one with %q", l.conversation, got, by)
		}
	}
	if distinct, _ := c.distinct(); int64(distinct) != final.Total.Delivered || final.Total.Observed != final.Total.Delivered {
		t.Errorf("the collector has %d records, the books say %+v; want all of them delivered", distinct, final.Total)
	}
	t.Logf("%d streams: %d ended in the grace period of %v, %d were cut; new connections refused after %v, exit after %v; %d records",
		streams, streams/2, grace, streams/2, refused.Sub(terminated).Round(time.Millisecond), took.Round(time.Millisecond), final.Total.Observed)
}

// open starts a stream or a WebSocket and returns when its first event came.
func open(t *testing.T, base, conversation string, socket, stays bool) *live {
	t.Helper()
	l := &live{conversation: conversation, stays: stays}
	request := question
	if stays {
		request = strings.Replace(request, "hello", "stays", 1)
	}
	if socket {
		conn, _, err := websocket.Dial(t.Context(), base+"/v1/responses", &websocket.DialOptions{
			HTTPHeader: agentHeader(conversation), CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			t.Error(err)
			return l
		}
		l.conn = conn
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create",`+request[1:])); err != nil {
			t.Error(err)
			return l
		}
		if _, _, err := conn.Read(t.Context()); err != nil {
			t.Error(err)
		}
		return l
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/responses", strings.NewReader(request))
	if err != nil {
		t.Error(err)
		return l
	}
	req.Header = agentHeader(conversation)
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Error(err)
		return l
	}
	l.body = res.Body
	if _, err := io.ReadFull(res.Body, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	return l
}

// untilRefused returns when the first connection is refused.
func untilRefused(t *testing.T, url string) time.Time {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("new connections are still taken")
		}
		if err != nil {
			return time.Now()
		}
		conn.Close()
	}
}
