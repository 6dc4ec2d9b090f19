package responses

// stash keeps items as they are written, one after another in one buffer.
type stash struct {
	bytes []byte
	items []stashed
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

func (s *stash) reset() { s.bytes, s.items = s.bytes[:0], s.items[:0] }

func (s *stash) item(i stashed) Item {
	item := ParseItem(s.bytes[i.start:i.end])
	item.Cut = i.cut
	return item
}
