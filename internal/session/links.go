package session

import (
	"hash/maphash"
	"slices"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// An agent that names no conversation is recognized by what it repeats of the
// responses it got. The links lead from such a thing to the conversations that
// had it. Ids are unique where the upstream is a real one; one that leads to
// several conversations is no evidence: two are never taken for one.

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

// link is where one thing leads to. When one of several conversations that had
// it is forgotten, or there are too many, the others are no evidence any more.
type link struct {
	ids  []string
	lost bool
}

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
	l := t.links[key]
	if l == nil {
		l = new(link)
		t.links[key] = l
	}
	if len(l.ids) == maxLinked {
		l.lost = true
		return
	}
	l.ids = append(l.ids, c.id)
}

// unlink takes a conversation from a link, and forgets a link that leads to none.
func (t *Tracker) unlink(key uint64, id string) {
	l := t.links[key]
	if l == nil {
		return
	}
	l.lost = l.lost || len(l.ids) > 1
	l.ids = slices.DeleteFunc(l.ids, func(other string) bool { return other == id })
	if len(l.ids) == 0 {
		delete(t.links, key)
	}
}

// linked returns the conversations that key leads to, the latest last.
func (t *Tracker) linked(key uint64) []*conversation {
	l := t.links[key]
	if l == nil || l.lost {
		return nil
	}
	var list []*conversation
	for _, id := range l.ids {
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
	if c := t.byItems(a.Input, owner); c != nil {
		return c.id
	}
	if key := a.Request.PromptCacheKey; key != "" {
		list := t.linked(linkKey(byCacheKey, owner, key))
		if c := only(list, func(c *conversation) bool { return c.precedes(a.Input) }); c != nil {
			return c.id
		}
	}
	return ""
}

// repeated returns the conversation whose last request was the same and failed:
// the request is a retry of it.
func (t *Tracker) repeated(a *Arrival, owner uint64) *conversation {
	list := t.linked(linkKey(byBody, owner, bodyValue(a.Request.Sum)))
	// OpenAI's SDKs count their retries, also those of a response that stalled.
	retried := a.Header("X-Stainless-Retry-Count") != "" && a.Header("X-Stainless-Retry-Count") != "0"
	return only(list, func(c *conversation) bool {
		last := c.last[a.Endpoint.Path]
		return last != nil && last.call.Sum == a.Request.Sum && (retried || last.call.Status == 0 || last.call.Status >= 400)
	})
}

// byItems returns the one conversation that had items of the model at the end of
// the input, nil for none or several.
func (t *Tracker) byItems(input *responses.Input, owner uint64) *conversation {
	var found *conversation
	ids := slices.Clone(input.ModelIDs)
	for _, entry := range input.Entries {
		if entry.Prompt == nil {
			ids = append(ids, entry.CallID)
		}
	}
	for _, id := range ids {
		list := t.linked(linkKey(byItem, owner, id))
		if len(list) != 1 || list[0] == found {
			continue
		}
		if found != nil {
			return nil
		}
		found = list[0]
	}
	return found
}

// precedes reports whether the input goes on after the conversation so far: it
// has all that the user said and what the model answered last. A cache key alone
// stands for an application, with any number of conversations.
func (c *conversation) precedes(input *responses.Input) bool {
	return c.answer != 0 && c.answer == input.Answer && c.earlier == 0 && input.Earlier == 0 &&
		len(c.prompts) <= len(input.Prompts) && slices.Equal(c.prompts, input.Prompts[:len(c.prompts)])
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
