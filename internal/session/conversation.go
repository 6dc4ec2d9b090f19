package session

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// conversation is what is remembered of one conversation.
type conversation struct {
	id    string
	scope *events.Scope
	last  map[string]*attemptState // by endpoint; the endpoints are a fixed set
	used  time.Time
	bytes int64
	links []uint64

	// seen is when the first request came; turn reports that one was of a turn,
	// and not only a warm-up.
	seen time.Time
	turn bool

	// What the last request of a turn had: the sums of its prompts, how many
	// before them were left out, and the last summary in it.
	prompts []uint64
	earlier int
	summary uint64
	asked   time.Time // when that request came
	// previous is the response that the last request continued.
	previous string
	body     uint64 // sum of that request
	// unanswered are the sums of the last prompts while no item of the model has
	// come after them.
	unanswered []uint64
	// compacted reports that the history was to be replaced by a summary since;
	// summarized is the sum of that summary's text, 0 if it is not known.
	compacted  bool
	summarized uint64

	// answer is the sum of the last text of the model, for an agent that does not
	// name its conversations.
	answer uint64

	calls    []*pending
	orphans  []orphan
	results  recent // call ids of the results told
	told     recent // event ids of the prompts told
	approval string
}

// pending is a call whose output is waited for.
type pending struct {
	call responses.Call
	at   time.Time
}

// orphan is an output whose call is not known, or not yet: two directions of a
// connection are watched by two, and the agent may be faster.
type orphan struct {
	callID, output string
	at             time.Time
	scope          *events.Scope
}

// Bounds of one conversation.
const (
	maxCalls       = 256
	maxOrphans     = 16
	maxOrphanBytes = 64 << 10
	maxRecent      = 256
	maxLinks       = 64
)

// recent remembers the last sums of some strings.
type recent struct{ sums []uint64 }

// add remembers s and reports whether it was new.
func (r *recent) add(s string) bool {
	sum := maphash.String(seed, s)
	if slices.Contains(r.sums, sum) {
		return false
	}
	if len(r.sums) == maxRecent {
		copy(r.sums, r.sums[1:])
		r.sums = r.sums[:maxRecent-1]
	}
	r.sums = append(r.sums, sum)
	return true
}

func (r *recent) has(s string) bool { return slices.Contains(r.sums, maphash.String(seed, s)) }

// pendingCall returns the call in flight that has an id, nil for none.
func (c *conversation) pendingCall(id string) *pending {
	for _, p := range c.calls {
		if p.call.ID == id {
			return p
		}
	}
	return nil
}

// size returns about how many bytes the conversation holds.
func (c *conversation) size() int64 {
	const fixed, perCall, perAttempt = 1024, 128, 128
	size := fixed + len(c.id) + perAttempt*len(c.last) +
		8*(len(c.prompts)+len(c.unanswered)+len(c.results.sums)+len(c.told.sums)) + 64*len(c.links)
	for _, o := range c.orphans {
		size += perCall + len(o.callID) + len(o.output)
	}
	for _, p := range c.calls {
		size += perCall + len(p.call.ID) + len(p.call.Name) + len(p.call.Namespace) + len(p.call.Arguments)
	}
	return int64(size)
}

// wait remembers a call until its output comes. The caller holds mu.
func (t *Tracker) wait(c *conversation, call responses.Call, at time.Time) {
	for len(c.calls) > 0 && (len(c.calls) >= maxCalls || at.Sub(c.calls[0].at) > t.cfg.MaxAge) {
		t.counts.CallsDropped++
		t.take(c, c.calls[0])
	}
	if call.ID == "" || c.results.has(call.ID) || c.pendingCall(call.ID) != nil {
		return
	}
	c.calls = append(c.calls, &pending{call: call, at: at})
	t.counts.Calls++
	t.flight.add(call.ID)
}

// leave remembers an output until its call is known.
func (c *conversation) leave(o orphan) {
	if len(o.output) > maxOrphanBytes {
		return
	}
	if len(c.orphans) == maxOrphans {
		c.orphans = slices.Delete(c.orphans, 0, 1)
	}
	c.orphans = append(c.orphans, o)
}

// adopt returns the output that came before its call was known, if one did.
func (c *conversation) adopt(callID string) (orphan, bool) {
	at := slices.IndexFunc(c.orphans, func(o orphan) bool { return o.callID == callID })
	if at < 0 {
		return orphan{}, false
	}
	o := c.orphans[at]
	c.orphans = slices.Delete(c.orphans, at, at+1)
	return o, true
}

// take forgets a call in flight. The caller holds mu.
func (t *Tracker) take(c *conversation, p *pending) {
	at := slices.Index(c.calls, p)
	if at < 0 {
		return
	}
	c.calls = slices.Delete(c.calls, at, at+1)
	t.counts.Calls--
	t.flight.remove(p.call.ID)
}
