package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

// window is how long an event may be in memory only.
const window = 200 * time.Millisecond

// calm is what a machine may be seen to stall that holds up nobody else for longer.
const calm = 20 * time.Millisecond

// config returns a configuration with an exporter and a state directory.
func config(upstream, collector, dir string) string {
	return fmt.Sprintf(`
[upstream]
base_url = %q
[server]
shutdown_grace = "5s"
flush_timeout = "1s"
[report]
merge_grace = "0s"
[store]
dir = %s
[otel]
exporter = { otlp-http = { endpoint = "http://%s/v1/logs", protocol = "binary", timeout = "300ms" } }
`, upstream, strconv.Quote(dir), collector)
}

// chaos is a collector, agents, and what they know of each other.
type chaos struct {
	random    *rand.Rand
	collector *collector
	load      *load
	config    string
	reference map[string]map[string]int // by kind of exchange: how many records of each kind one has

	kills, stops int
	calm         int // kills on a machine that was calm
	exchanges    int
	expected     []exchange    // that must have come whole when nothing waits any more
	recent       []exchange    // that need not: they were younger than the window when their proxy was killed
	late         map[int]bool  // the rounds of which something expected is missing, on a machine that was not calm
	worst        time.Duration // the age of the oldest of it
	stalls       stalls
	stalled      time.Duration // the most that the machine made the window longer
}

// TestKill kills proxies at random points under load, one after the other on one state directory, while the collector is in
// all its moods; some are ended in an orderly way instead. In the end everything that was older than the window must have
// come, once or several times with the same event.id, and the books must say so, after each end and at the last. No agent may
// have noticed anything of the collector.
func TestKill(t *testing.T) {
	c := &chaos{random: random(t), load: newLoad(t), late: map[int]bool{}}
	c.collector = newCollector(t, rand.New(rand.NewPCG(c.random.Uint64(), 0)))
	ctx, cancel := context.WithCancel(t.Context())
	var measuring sync.WaitGroup
	defer measuring.Wait()
	defer cancel()
	probes := t.TempDir()
	measuring.Go(func() { c.stalls.measure(ctx, t, probes) })
	upstream := newUpstream(t, responsestest.Stream(stream()...))
	c.config = config(upstream.BaseURL(), c.collector.address, t.TempDir())
	c.learn(t)
	began, length := time.Now(), duration(t, 3*time.Second)
	var final books
	for round := 1; time.Since(began) < length || round%4 != 1; round++ {
		c.round(t, round)
		if round%4 == 0 {
			final = c.judge(t)
		}
	}
	c.check(t, final)
}

// learn has one exchange of each kind in peace, to know what its records are.
func (c *chaos) learn(t *testing.T) {
	t.Helper()
	p := start(t, c.config)
	c.reference = map[string]map[string]int{}
	for kind, ask := range map[string]asker{overSSE: askStream(c.load.client), overSocket: askSocket} {
		c.load.once(t.Context(), p.url, kind, ask)
	}
	finished := c.load.take()
	c.load.client.CloseIdleConnections()
	p.terminate(t)
	p.exited(t)
	facts := c.collector.facts()
	for _, e := range finished {
		c.reference[e.kind] = facts[e.conversation]
	}
	if sse := c.reference[overSSE]; sse["codex.sse_event"] != len(stream())-1 || sse["codex.sse_event completed"] != 1 || sse["codex.api_request"] != 1 {
		t.Fatalf("records of a stream = %v; want one of each event and of the request", sse)
	}
	if socket := c.reference[overSocket]; socket["codex.sse_event completed"] != 1 || socket["codex.websocket_request"] != 1 {
		t.Fatalf("records of a WebSocket = %v; want one of the request and of the completion", socket)
	}
}

// round runs a proxy for a while and ends it.
func (c *chaos) round(t *testing.T, round int) {
	t.Helper()
	length := 200*time.Millisecond + time.Duration(c.random.Int64N(int64(1800*time.Millisecond)))
	orderly := c.random.IntN(4) == 0
	c.load.end(false)
	p := start(t, c.config)
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.load.run(ctx, p.url, map[string]int{overSSE: 4, overSocket: 2}, 25*time.Millisecond)
	}()
	for end := time.Now().Add(length); time.Now().Before(end); {
		c.collector.feel(t, moods()[c.random.IntN(len(moods()))])
		<-time.After(min(time.Until(end), 50*time.Millisecond+time.Duration(c.random.Int64N(int64(400*time.Millisecond)))))
	}
	p.ledger(t)
	c.load.end(true)
	ended := time.Now()
	stalled := c.stalls.before(ended)
	c.stalled = max(c.stalled, stalled)
	if orderly {
		c.stops++
		p.terminate(t)
		p.exited(t)
	} else {
		c.kills++
		if stalled < calm {
			c.calm++
		}
		p.kill(t)
	}
	cancel()
	<-stopped
	for _, e := range c.load.take() {
		c.exchanges++
		e.round, e.age, e.calm = round, ended.Sub(e.at), orderly || stalled < calm
		if orderly || e.age > window+stalled {
			c.expected = append(c.expected, e)
		} else {
			c.recent = append(c.recent, e)
		}
	}
}

// judge has everything delivered that is on disk, by a proxy that has nothing else to do, and looks for what is missing of the
// rounds before.
func (c *chaos) judge(t *testing.T) books {
	t.Helper()
	c.collector.feel(t, up)
	p := start(t, c.config)
	final := p.until(t, "empty queue", func(b books) bool { return b.Total.Queued == 0 })
	p.terminate(t)
	p.exited(t)
	facts := c.collector.facts()
	for _, e := range c.expected {
		if !maps.Equal(facts[e.conversation], c.reference[e.kind]) {
			tell := t.Logf
			if e.calm {
				tell = t.Errorf
			} else {
				c.late[e.round] = true
				c.worst = max(c.worst, e.age)
			}
			tell("of %s, %v before the end of round %d, came %v; want %v", e.conversation, e.age, e.round, facts[e.conversation], c.reference[e.kind])
		}
	}
	for _, e := range c.recent {
		for kind, n := range facts[e.conversation] {
			if n > c.reference[e.kind][kind] {
				t.Errorf("of %s came %v; want no more than %v", e.conversation, facts[e.conversation], c.reference[e.kind])
			}
		}
	}
	c.expected, c.recent = nil, nil
	return final
}

// check compares the books with what the collector has.
func (c *chaos) check(t *testing.T, final books) {
	t.Helper()
	if diff := cmp.Diff(map[string]int64{}, final.Total.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	// A batch that is too large is not when it is sent in parts.
	if n := final.Total.Rejected["too_large"]; n > 0 {
		t.Errorf("%d records were given up as too large; want them delivered in smaller batches", n)
	}
	distinct, again := c.collector.distinct()
	unbooked := int64(distinct) - final.Total.Observed
	if unbooked < 0 {
		t.Errorf("the books have %d records more than the collector saw; want each of them there", -unbooked)
	}
	// What is in no book was delivered from memory in the last moments before a kill.
	if limit := int64(c.kills+1) * 1000; unbooked > limit {
		t.Errorf("the collector saw %d records that are in no book; want at most what is observed in %v before each of %d kills", unbooked, window, c.kills)
	}
	if c.collector.different > 0 || c.collector.unnamed > 0 {
		t.Errorf("%d repeated records were different, %d had no event.id; want them to be told apart by it", c.collector.different, c.collector.unnamed)
	}
	// What the machine was seen to stall is accounted for. One that stalls may stall a process more than the one that looks.
	if len(c.late) > c.kills/10 || c.worst > 3*time.Second {
		t.Errorf("%d of %d kills lost something older than %v, %v the oldest", len(c.late), c.kills, window, c.worst)
	}
	t.Logf("%d kills, %d of them on a calm machine, %d orderly ends, %d exchanges, %d records, %d of them came again, %d in no book; %d kills lost something older than %v and what the machine stalled, at most %v (oldest %v); rejected %v; moods %q",
		c.kills, c.calm, c.stops, c.exchanges, distinct, again, unbooked, len(c.late), window, c.stalled.Round(time.Millisecond), c.worst, final.Total.Rejected, c.collector.felt())
}
