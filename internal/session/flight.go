package session

import (
	"hash/maphash"
	"sync"
)

// flight counts the calls in flight by id, so that whoever reads a request can
// ask about each output that passes without waiting for anything else. Other
// ids with the same sum are possible and cost a look at the output.
type flight struct {
	mu  sync.RWMutex
	ids map[uint64]int
}

// seed makes sums comparable within the process, and only there.
var seed = maphash.MakeSeed()

func (f *flight) has(callID []byte) bool {
	sum := maphash.Bytes(seed, callID)
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.ids[sum] > 0
}

func (f *flight) add(callID string) {
	sum := maphash.String(seed, callID)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids[sum]++
}

func (f *flight) remove(callID string) {
	sum := maphash.String(seed, callID)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ids[sum]--; f.ids[sum] <= 0 {
		delete(f.ids, sum)
	}
}
