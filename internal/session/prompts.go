package session

import (
	"slices"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// heard is what a request says that the user has said.
type heard struct {
	input    *responses.Input
	previous string // the response that the request continues, "" for a whole history
	body     uint64 // sum of the request
	// rewritten reports an agent that changes a request when it sends it again.
	rewritten bool
	// copied reports that the history may be that of another conversation, so far.
	copied bool
	at     time.Time
}

// listen returns the prompts of a request of a turn that were not heard before,
// and remembers the request. A prompt is new when it comes after the last item
// of the model, and the request has it more often than the one before had.
func (c *conversation) listen(h heard) []*responses.Entry {
	prompts := c.afterSummary(tailPrompts(h.input))
	if h.at.Before(c.asked) {
		// It was sent before the last one and is seen after it: each connection is
		// watched by itself.
		return without(prompts, c.unanswered)
	}
	c.asked = h.at
	fresh := c.fresh(prompts, h)
	if h.previous == "" {
		c.prompts = append(c.prompts[:0], h.input.Prompts...)
		c.earlier, c.summary = h.input.Earlier, h.input.Summary
	} else {
		for _, entry := range fresh {
			c.prompts = append(c.prompts, entry.Prompt.Sum)
		}
		if over := len(c.prompts) - maxHeard; over > 0 {
			c.prompts = slices.Delete(c.prompts, 0, over)
			c.earlier += over
		}
	}
	c.unanswered = c.unanswered[:0]
	for _, entry := range prompts {
		c.unanswered = append(c.unanswered, entry.Prompt.Sum)
	}
	c.previous, c.body = h.previous, h.body
	c.compacted, c.summarized, c.turn = false, 0, true
	return fresh
}

// maxHeard bounds the prompts that are remembered of a conversation whose
// requests have new ones only.
const maxHeard = 1024

func tailPrompts(input *responses.Input) []*responses.Entry {
	var prompts []*responses.Entry
	for i := range input.Entries {
		if entry := &input.Entries[i]; entry.Prompt != nil && entry.Tail {
			prompts = append(prompts, entry)
		}
	}
	return prompts
}

// afterSummary leaves out what a compaction has put in the place of the history:
// the first ones to do so left the summary unmarked, and the user's words before
// it.
func (c *conversation) afterSummary(prompts []*responses.Entry) []*responses.Entry {
	if !c.compacted || c.summarized == 0 {
		return prompts
	}
	for i, entry := range slices.Backward(prompts) {
		if entry.Prompt.Sum == c.summarized {
			return prompts[i+1:]
		}
	}
	return prompts
}

// fresh returns which of the last prompts are new.
func (c *conversation) fresh(prompts []*responses.Entry, h heard) []*responses.Entry {
	switch {
	case h.previous != "":
		// Only what is new is in such a request, unless it is sent again.
		if h.previous == c.previous && (h.rewritten || h.body == c.body) {
			return without(prompts, c.unanswered)
		}
		return prompts
	case !c.turn && h.copied && len(prompts) > 0:
		// The history of the other may end in prompts that no item of the model has
		// come after yet.
		return prompts[len(prompts)-1:]
	case !c.turn:
		// The first request of a conversation, or the first since the proxy was
		// started: what comes before the last item of the model is history.
		return prompts
	case c.compacted || h.input.Summary != c.summary:
		// What was said often before may have been left out of the history.
		return without(prompts, c.unanswered)
	case c.previous != "":
		// The history before the first of the requests may never have been seen.
		return c.surplus(without(prompts, c.unanswered), h.input)
	default:
		return c.surplus(prompts, h.input)
	}
}

// without leaves out prompts that were heard, as often as they were.
func without(prompts []*responses.Entry, heard []uint64) []*responses.Entry {
	left := slices.Clone(heard)
	var fresh []*responses.Entry
	for _, entry := range prompts {
		if at := slices.Index(left, entry.Prompt.Sum); at >= 0 {
			left = slices.Delete(left, at, at+1)
			continue
		}
		fresh = append(fresh, entry)
	}
	return fresh
}

// surplus returns the last prompts that the request has more often than the one
// before.
func (c *conversation) surplus(prompts []*responses.Entry, input *responses.Input) []*responses.Entry {
	before := c.prompts
	if moved := input.Earlier - c.earlier; moved > 0 {
		before = before[min(moved, len(before)):]
	}
	var fresh []*responses.Entry
	for _, entry := range slices.Backward(prompts) {
		sum := entry.Prompt.Sum
		spare := times(input.Prompts, sum) - times(before, sum)
		for _, other := range fresh {
			if other.Prompt.Sum == sum {
				spare--
			}
		}
		if spare > 0 {
			fresh = append(fresh, entry)
		}
	}
	slices.Reverse(fresh)
	return fresh
}

func times(sums []uint64, sum uint64) int {
	n := 0
	for _, s := range sums {
		if s == sum {
			n++
		}
	}
	return n
}
