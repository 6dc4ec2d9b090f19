package responses

import (
	"container/list"
	"sync"
)

// DefaultMaxHistory is how many bytes a History holds unless told otherwise: about
// those of the checkpoints of 200 MB of requests.
const DefaultMaxHistory = 16 << 20

// maxShare is the part of a History that one checkpoint may take. What follows a
// larger one is read anew every time.
const maxShare = 64

// History remembers how far requests were read: a checkpoint after each block,
// found again by the sum of all bytes before it. The sums are seeded anew in each
// process, so that nobody outside can make two bodies meet. The least recently
// used checkpoints go first. It is safe for concurrent use.
type History struct {
	maxBytes int
	block    int       // bytes between checkpoints; blockBytes, less in tests
	buffers  sync.Pool // of *[blockBytes]byte

	mu    sync.Mutex
	items map[uint64]*list.Element // of *remembered
	order list.List                // most recently used first
	bytes int
}

// remembered is a checkpoint in the list.
type remembered struct {
	sum  uint64
	at   *checkpoint
	size int
}

// NewHistory returns an empty History of at most maxBytes, 0 for
// DefaultMaxHistory.
func NewHistory(maxBytes int) *History {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxHistory
	}
	return &History{maxBytes: maxBytes, block: blockBytes, items: make(map[uint64]*list.Element)}
}

// find returns the checkpoint after bytes of that sum, nil if there is none.
func (h *History) find(sum uint64) *checkpoint {
	h.mu.Lock()
	defer h.mu.Unlock()
	found, ok := h.items[sum]
	if !ok {
		return nil
	}
	h.order.MoveToFront(found)
	return found.Value.(*remembered).at //nolint:forcetypeassert // It holds nothing else.
}

// keep remembers a checkpoint. It reports false for one that is too large.
func (h *History) keep(sum uint64, at *checkpoint) bool {
	size := at.size()
	if size > h.maxBytes/maxShare {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.items[sum]; ok {
		h.order.MoveToFront(known)
		return true
	}
	h.items[sum] = h.order.PushFront(&remembered{sum, at, size})
	h.bytes += size
	for h.bytes > h.maxBytes {
		oldest := h.order.Remove(h.order.Back()).(*remembered) //nolint:forcetypeassert // It holds nothing else.
		delete(h.items, oldest.sum)
		h.bytes -= oldest.size
	}
	return true
}

// buffer returns room for a block.
func (h *History) buffer() []byte {
	if buf, ok := h.buffers.Get().(*[blockBytes]byte); ok {
		return buf[:0]
	}
	return new([blockBytes]byte)[:0]
}

// release takes back what buffer returned.
func (h *History) release(buf []byte) { h.buffers.Put((*[blockBytes]byte)(buf[:blockBytes])) }
