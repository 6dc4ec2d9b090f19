// Package parity holds the records of codex-proxy against those that a Codex CLI exports of the same run: event by event,
// attribute by attribute. What the proxy cannot know is a table in code, [Expected]; everything else that differs is a bug.
package parity

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// Events are the names of the events that are compared. What else a CLI tells is of itself only: its start, its own retries.
var Events = []string{
	"codex.conversation_starts", "codex.user_prompt", "codex.tool_decision", "codex.tool_result",
	"codex.api_request", "codex.sse_event", "codex.websocket_connect", "codex.websocket_request", "codex.websocket_event",
}

// Run says what was run.
type Run struct {
	Version   string // of the CLI
	Transport string // http, websocket, ...
	Scenario  string
}

// Kind is what became of one attribute.
type Kind int

// What can become of an attribute.
const (
	Matched   Kind = iota // both told the same
	Missed                // Codex told it, the proxy did not
	Differing             // both told it, differently
	Invented              // the proxy told it, Codex did not, and it is one of Codex's
)

// String returns the kind as the page spells it.
func (k Kind) String() string { return [...]string{"matched", "missed", "differing", "invented"}[k] }

// Difference is an attribute that does not match. An event that only one of both told of has one for each attribute.
type Difference struct {
	Run          Run
	Kind         Kind
	Event        string
	Fact         string // the call or the kind of event that the record is of, or empty
	Attribute    string
	Codex, Proxy any
	// Lone reports that the other told of no such event at all. Again reports that Codex had told the same before.
	Lone, Again bool
	Unasked     bool // no request of the run says what the attribute tells
}

// Result is the comparison of one run.
type Result struct {
	Run         Run
	Events      int // that Codex told of, of those compared
	Matched     int // attributes
	Underivable int // attributes that an entry of [Expected] accounts for
	Lost        int // events that the proxy told of after the last that Codex got rid of before it gave up
	Unexpected  []Difference
	Occurred    map[*Expectation]int
	Others      map[string]int // events of Codex that are not compared
}

// Count returns how many attributes differ in a way.
func (r *Result) Count(kind Kind) int {
	n := 0
	for i := range r.Unexpected {
		if r.Unexpected[i].Kind == kind {
			n++
		}
	}
	return n
}

// Matrix gathers results. Its methods may be called at any time from any goroutine.
type Matrix struct {
	mu      sync.Mutex
	results []*Result
}

// Add adds a result.
func (m *Matrix) Add(r *Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.results = append(m.results, r)
}

// Occurred returns how often each entry of [Expected] accounted for something.
func (m *Matrix) Occurred() map[*Expectation]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	occurred := map[*Expectation]int{}
	for _, r := range m.results {
		for expectation, n := range r.Occurred {
			occurred[expectation] += n
		}
	}
	return occurred
}

// Compared returns those of records that are compared, in their order, and counts the others by name.
func Compared(records []receiver.Record) (compared []receiver.Record, others map[string]int) {
	others = map[string]int{}
	for i := range records {
		switch name := records[i].Name(); {
		case slices.Contains(Events, name):
			compared = append(compared, records[i])
		case strings.HasPrefix(name, "codex."):
			others[name]++
		}
	}
	return compared, others
}

// keys returns the keys of attributes, sorted.
func keys(attrs map[string]any) []string { return slices.Sorted(maps.Keys(attrs)) }
