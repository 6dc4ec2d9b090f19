package responses

import "slices"

// stash keeps items as they are written, one after another in one buffer.
type stash struct {
	bytes  []byte
	items  []stashed
	shared bool // a checkpoint has them too
}

type stashed struct {
	start, end int
	index      int
	offset     int64
	cut        bool
}

func (s *stash) add(e element, index, maxItems, maxBytes int) bool {
	if len(s.items) >= maxItems || len(s.bytes)+len(e.raw) > maxBytes {
		return false
	}
	start := len(s.bytes)
	s.bytes = append(s.bytes, e.raw...)
	s.items = append(s.items, stashed{start, len(s.bytes), index, e.offset, e.cut})
	return true
}

func (s *stash) reset() {
	if s.shared {
		*s = stash{}
	}
	s.bytes, s.items = s.bytes[:0], s.items[:0]
}

// share returns what is kept, for others to go on from. Neither side overwrites
// it from now on.
func (s *stash) share() stash {
	s.shared = true
	return stash{bytes: slices.Clip(s.bytes), items: slices.Clip(s.items), shared: true}
}

func (s *stash) item(i stashed) Item {
	item := ParseItem(s.bytes[i.start:i.end])
	item.Cut = i.cut
	return item
}
