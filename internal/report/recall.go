package report

import (
	"slices"
	"time"
)

// maxPerKey bounds the facts that one key finds: the same prompt over and over.
const maxPerKey = 64

// lengthWindow is how long after it was passed on a fact is found by a prompt's
// length alone. Different prompts have equal lengths.
const lengthWindow = 10 * time.Minute

// recall remembers facts, the newest of them. Its owner guards it.
type recall struct {
	max   int
	byKey map[memoKey][]*memo // the oldest first
	byID  map[memoKey]*memo
	order []*memo // a ring of max
	next  int     // where the next memo goes
	count int
}

func newRecall(limit int) *recall {
	return &recall{
		max:   limit,
		byKey: make(map[memoKey][]*memo),
		byID:  make(map[memoKey]*memo),
	}
}

// add remembers a fact. It returns the one that is forgotten for it, or nil.
func (c *recall) add(m *memo) *memo {
	var oldest *memo
	if len(c.order) < c.max {
		c.order = append(c.order, m)
		c.count++
	} else {
		oldest = c.order[c.next]
		c.forget(oldest)
		c.order[c.next] = m
	}
	c.next = (c.next + 1) % c.max
	for _, key := range m.keys {
		c.index(m, key)
	}
	return oldest
}

// index makes a key find a fact.
func (c *recall) index(m *memo, key memoKey) {
	if key == (memoKey{}) {
		return
	}
	list := c.byKey[key]
	if len(list) == maxPerKey {
		list = slices.Delete(list, 0, 1)
	}
	c.byKey[key] = append(list, m)
}

// identify remembers by which id a teller told a fact.
func (c *recall) identify(m *memo, by teller, id memoKey) {
	if id == (memoKey{}) {
		return
	}
	m.ids[by] = id
	c.byID[id] = m
}

// forget removes what finds a fact.
func (c *recall) forget(m *memo) {
	for _, key := range m.keys {
		c.unindex(m, key)
	}
	for _, id := range m.ids {
		if c.byID[id] == m {
			delete(c.byID, id)
		}
	}
}

func (c *recall) unindex(m *memo, key memoKey) {
	list := c.byKey[key]
	i := slices.Index(list, m)
	if i < 0 {
		return
	}
	if len(list) == 1 {
		delete(c.byKey, key)
		return
	}
	c.byKey[key] = slices.Delete(list, i, i+1)
}

// find returns the fact that by tells with m and has not told yet, nil when it is
// a new one. What still waits comes before what was passed on, the older first.
//
// Decisions are the same only when they come to the same; see [recall.opposite].
func (c *recall) find(m *memo, by teller, now time.Time) *memo {
	if m.words() {
		same := func(known *memo) bool { return known.outcome == m.outcome }
		if known := pick(c.byKey[m.keys[0]], by, same); known != nil {
			return known
		}
	}
	return pick(c.byKey[m.keys[1]], by, func(known *memo) bool {
		if m.words() && known.words() {
			return false // Other words.
		}
		return known.held != nil || now.Sub(known.at) <= lengthWindow
	})
}

// pick returns the first of list that by has not told, those that wait first.
func pick(list []*memo, by teller, fits func(*memo) bool) *memo {
	var passed *memo
	for _, known := range list {
		switch {
		case known.told.has(by), !fits(known):
		case known.held != nil:
			return known
		case passed == nil:
			passed = known
		}
	}
	return passed
}

// opposite returns a decision on the same call that waits too and that somebody
// else told differently.
func (c *recall) opposite(m *memo) *memo {
	if m.outcome == "" {
		return nil
	}
	for _, known := range c.byKey[m.keys[0]] {
		if known != m && known.held != nil && !known.told.meets(m.told) && known.told.agent() != m.told.agent() {
			return known
		}
	}
	return nil
}

// toldBy reports whether by has told the only fact there can be.
func (c *recall) toldBy(m *memo, by teller) bool {
	return m.single && slices.ContainsFunc(c.byKey[m.keys[0]], func(known *memo) bool { return known.told.has(by) })
}
