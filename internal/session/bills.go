package session

import (
	"container/list"
	"hash/maphash"
	"time"
)

// bills remembers of the responses that can be read again whether their tokens
// were told. The tracker's mu guards it.
type bills struct {
	entries map[uint64]*list.Element // of *bill
	recent  list.List                // most recently heard of first

	evicted, expired int64
}

// bill is what is remembered of one response.
type bill struct {
	key  uint64
	told teller
	used time.Time
}

// teller is who told the tokens of a response.
type teller uint8

const (
	nobody teller = iota
	maker         // the request that made it
	reader        // a later one
)

// find returns the bill of a response, nil if nothing is known of it.
func (b *bills) find(responseID string) *bill {
	if element, ok := b.entries[maphash.String(seed, responseID)]; ok {
		return element.Value.(*bill)
	}
	return nil
}

// put remembers a response, with room for as many as limit.
func (b *bills) put(responseID string, told teller, at time.Time, limit int) {
	key := maphash.String(seed, responseID)
	if element, ok := b.entries[key]; ok {
		kept := element.Value.(*bill)
		kept.told, kept.used = told, later(kept.used, at)
		b.recent.MoveToFront(element)
		return
	}
	if len(b.entries) >= limit {
		b.evicted++
		b.drop(b.recent.Back())
	}
	if b.entries == nil {
		b.entries = make(map[uint64]*list.Element)
	}
	b.entries[key] = b.recent.PushFront(&bill{key: key, told: told, used: at})
}

// expire forgets the responses that nobody has heard of for longer than age.
func (b *bills) expire(now time.Time, age time.Duration) {
	for oldest := b.recent.Back(); oldest != nil; oldest = b.recent.Back() {
		if now.Sub(oldest.Value.(*bill).used) <= age {
			return
		}
		b.expired++
		b.drop(oldest)
	}
}

func (b *bills) drop(element *list.Element) {
	delete(b.entries, element.Value.(*bill).key)
	b.recent.Remove(element)
}
