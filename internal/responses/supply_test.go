package responses

import (
	"strconv"
	"testing"
)

func TestSupplyEventsAreApart(t *testing.T) {
	var s supply
	for i := range 100 {
		e := s.event()
		if s.event() != e {
			t.Fatalf("event %d is another one before it is taken", i)
		}
		if e.DurationMS.Set {
			t.Fatalf("event %d was given out before", i)
		}
		e.DurationMS.Set = true
		s.take()
	}
}

func TestSupplyCountsUp(t *testing.T) {
	var s supply
	made := int64(0)
	for n := int64(1); n < 200; n++ {
		if n%7 == 0 {
			continue // a record with an id of another kind
		}
		if s.event(); n%3 == 0 {
			s.take()
		}
		if got, want := s.id("x", n), "x-"+strconv.FormatInt(n, 10); got != want {
			t.Fatalf("id(%d) = %q; want %q", n, got, want)
		}
		made = max(made, s.last-s.first+1)
	}
	if made != maxSupply {
		t.Errorf("at most %d ids at a time; want %d", made, maxSupply)
	}
}
