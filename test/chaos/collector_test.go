package chaos_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// receipt is what is known of an event.id.
type receipt struct {
	sum          uint64 // of the record
	times        int
	refusedOn    int64 // the last connection on which it was refused for good, 0 if none
	conversation string
	name         string
	ending       string
}

// collector takes OTLP over HTTP, as its mood is.
type collector struct {
	address string
	server  *http.Server
	seed    maphash.Seed

	mu        sync.Mutex
	mood      mood
	changed   chan struct{} // closed when the mood changes
	random    *rand.Rand
	listener  net.Listener // nil while down
	receipts  map[string]*receipt
	careless  bool // counts, and remembers nothing
	received  int  // records, with repetitions
	different int  // repetitions that were not the same record
	unnamed   int  // records without an event.id
	insisted  int  // records that came again over the connection on which they were refused for good
	leaked    int  // requests with the key of an agent
	requests  map[mood]int
}

// connection numbers the connections, in the context of a request.
type connection struct{}

func newCollector(t *testing.T, random *rand.Rand) *collector {
	t.Helper()
	c := &collector{
		seed: maphash.MakeSeed(), mood: up, changed: make(chan struct{}), random: random,
		receipts: make(map[string]*receipt), requests: make(map[mood]int),
	}
	var connections atomic.Int64
	c.server = &http.Server{
		Handler: http.HandlerFunc(c.serve), ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connection{}, connections.Add(1))
		},
	}
	c.address = "127.0.0.1:0"
	c.listen(t)
	t.Cleanup(func() {
		c.server.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.leaked > 0 {
			t.Errorf("%d requests to the collector have the key of an agent", c.leaked)
		}
		if c.insisted > 0 {
			t.Errorf("%d records came again although they had been refused for good", c.insisted)
		}
	})
	return c
}

// listen accepts connections, at the address of before.
func (c *collector) listen(t *testing.T) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listener, c.address = listener, listener.Addr().String()
	go func() { _ = c.server.Serve(listener) }()
}

// feel changes the mood.
func (c *collector) feel(t *testing.T, m mood) {
	t.Helper()
	c.mu.Lock()
	was := c.mood
	c.mood = m
	close(c.changed)
	c.changed = make(chan struct{})
	listener := c.listener
	c.mu.Unlock()
	switch {
	case m == down && was != down:
		_ = listener.Close()
	case m != down && was == down:
		c.listen(t)
	}
}

// answers draws how the next request is answered.
func (c *collector) answers() (mood, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.mood
	if m == flapping {
		m = moods()[c.random.IntN(len(moods())-1)]
	}
	c.requests[m]++
	return m, c.changed
}

func logRecords(request *collogpb.ExportLogsServiceRequest, yield func(*logspb.LogRecord)) {
	for _, resource := range request.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				yield(record)
			}
		}
	}
}

func count(request *collogpb.ExportLogsServiceRequest) (n int) {
	logRecords(request, func(*logspb.LogRecord) { n++ })
	return n
}

// look counts a request that has what is the upstream's alone.
func (c *collector) look(header http.Header, body []byte) {
	if bytes.Contains(body, []byte(agentKey)) || strings.Contains(fmt.Sprint(header), agentKey) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.leaked++
	}
}

// take notes what came, and on which connection it is refused, if it is.
func (c *collector) take(request *collogpb.ExportLogsServiceRequest, refusedOn int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	logRecords(request, func(record *logspb.LogRecord) {
		c.received++
		if c.careless {
			return
		}
		texts := map[string]string{}
		for _, pair := range record.GetAttributes() {
			texts[pair.GetKey()] = pair.GetValue().GetStringValue()
		}
		id := texts["event.id"]
		if id == "" {
			c.unnamed++
			return
		}
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
		if err != nil {
			c.different++
			return
		}
		sum := maphash.Bytes(c.seed, encoded)
		known := c.receipts[id]
		if known == nil {
			known = &receipt{sum: sum, conversation: texts["conversation.id"], name: texts["event.name"], ending: texts["stream.ended_by"]}
			c.receipts[id] = known
		}
		known.times++
		if refusedOn > 0 && known.refusedOn == refusedOn {
			c.insisted++
		}
		known.refusedOn = max(known.refusedOn, refusedOn)
		if known.sum != sum {
			c.different++
		}
	})
}

// facts returns how many records of each kind came of each conversation, those that came again counted once.
func (c *collector) facts() map[string]map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	facts := make(map[string]map[string]int)
	for _, r := range c.receipts {
		if facts[r.conversation] == nil {
			facts[r.conversation] = make(map[string]int)
		}
		kind := r.name
		if r.ending != "" {
			kind += " " + r.ending
		}
		facts[r.conversation][kind]++
	}
	return facts
}

// distinct returns how many records came, each counted once, and how many came again.
func (c *collector) distinct() (records, again int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.receipts), c.received - len(c.receipts) - c.unnamed
}

// felt returns the moods in which requests were answered.
func (c *collector) felt() []mood {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.requests))
}
