package session

import (
	"hash/maphash"
	"slices"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// An agent that names no conversation is recognized by what it repeats of the
// responses it got. The links lead from such a thing to the conversations that
// had it; one that leads to several leads nowhere unless something else decides.

// evidence says what a link is made of.
type evidence byte

const (
	byResponse evidence = 'r' // id of a response
	byItem     evidence = 'i' // id of an item, or of a call
	byCacheKey evidence = 'k' // prompt_cache_key
	byBody     evidence = 'b' // sum of a whole request
)

// maxLinked bounds the conversations that one link leads to.
const maxLinked = 8

// linkKey spells a link.
func linkKey(kind evidence, owner uint64, value string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_ = h.WriteByte(byte(kind))
	maphash.WriteComparable(&h, owner)
	_, _ = h.WriteString(value)
	return h.Sum64()
}

// link makes key lead to c. The caller holds mu.
func (t *Tracker) link(key uint64, c *conversation) {
	if slices.Contains(c.links, key) {
		return
	}
	if len(c.links) == maxLinks {
		t.unlink(c.links[0], c.id)
		c.links = slices.Delete(c.links, 0, 1)
	}
	c.links = append(c.links, key)
	linked := t.links[key]
	if len(linked) == maxLinked {
		linked = linked[1:]
	}
	t.links[key] = append(slices.Clone(linked), c.id)
}

func (t *Tracker) unlink(key uint64, id string) {
	linked := slices.DeleteFunc(slices.Clone(t.links[key]), func(other string) bool { return other == id })
	if len(linked) == 0 {
		delete(t.links, key)
		return
	}
	t.links[key] = linked
}

// linked returns the remembered conversations that key leads to, the latest
// last.
func (t *Tracker) linked(key uint64) []*conversation {
	var list []*conversation
	for _, id := range t.links[key] {
		if c := t.known(id); c != nil {
			list = append(list, c)
		}
	}
	return list
}

// derive returns the conversation that a request without a name for one goes on
// with, "" for none that is certain. The caller holds mu.
func (t *Tracker) derive(a *Arrival, owner uint64) string {
	for _, id := range []string{a.Request.PreviousResponseID, a.ResponseID} {
		if id == "" {
			continue
		}
		if list := t.linked(linkKey(byResponse, owner, id)); len(list) > 0 {
			return list[len(list)-1].id
		}
		return ""
	}
	if a.Input == nil {
		return ""
	}
	if c := t.repeated(a, owner); c != nil {
		return c.id
	}
	if !a.Input.Model {
		return ""
	}
	candidates := t.byItems(a.Input, owner)
	if key := a.Request.PromptCacheKey; key != "" && len(candidates) == 0 {
		candidates = t.linked(linkKey(byCacheKey, owner, key))
	}
	if c := only(candidates, func(c *conversation) bool { return c.awaits(a.Input) && c.precedes(a.Input) }); c != nil {
		return c.id
	}
	if c := only(candidates, func(c *conversation) bool { return c.precedes(a.Input) }); c != nil {
		return c.id
	}
	return ""
}

// repeated returns the conversation whose last request was the same and failed:
// the request is a retry of it.
func (t *Tracker) repeated(a *Arrival, owner uint64) *conversation {
	list := t.linked(linkKey(byBody, owner, bodyValue(a.Request.Sum)))
	return only(list, func(c *conversation) bool {
		last := c.last[a.Endpoint.Path]
		return last != nil && last.call.Sum == a.Request.Sum && (last.call.Status == 0 || last.call.Status >= 400)
	})
}

// byItems returns the conversations that had one of the items of the model at
// the end of the input.
func (t *Tracker) byItems(input *responses.Input, owner uint64) []*conversation {
	var list []*conversation
	add := func(id string) {
		for _, c := range t.linked(linkKey(byItem, owner, id)) {
			if !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	for _, id := range input.ModelIDs {
		add(id)
	}
	for _, entry := range input.Entries {
		if entry.Prompt == nil {
			add(entry.CallID)
		}
	}
	return list
}

// awaits reports whether the conversation waits for one of the outputs.
func (c *conversation) awaits(input *responses.Input) bool {
	return slices.ContainsFunc(input.Entries, func(entry responses.Entry) bool {
		return entry.Prompt == nil && c.pendingCall(entry.CallID) != nil
	})
}

// precedes reports whether the input begins with what the user said in the
// conversation so far.
func (c *conversation) precedes(input *responses.Input) bool {
	return c.turn && c.earlier == 0 && input.Earlier == 0 && len(c.prompts) <= len(input.Prompts) &&
		slices.Equal(c.prompts, input.Prompts[:len(c.prompts)])
}

// only returns the one conversation that fits, nil when there are more or none.
func only(list []*conversation, fits func(*conversation) bool) *conversation {
	var found *conversation
	for _, c := range list {
		if !fits(c) {
			continue
		}
		if found != nil {
			return nil
		}
		found = c
	}
	return found
}
