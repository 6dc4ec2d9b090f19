package outbox

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTallyShare(t *testing.T) {
	whole := Tally{"a": 6, "b": 3, "c": 1}
	for n, want := range map[int64]Tally{
		math.MinInt64: {},
		-1:            {},
		0:             {},
		1:             {"a": 1, "b": 0, "c": 0},
		5:             {"a": 3, "b": 2, "c": 0},
		10:            whole,
		11:            whole,
		math.MaxInt64: whole,
	} {
		got := whole.Share(n)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Share(%d) (-want +got):\n%s", n, diff)
		}
	}
	for n := range int64(11) {
		part := whole.Share(n)
		if int64(part.Total()) != n || part.Plus(whole.Minus(part)).Total() != 10 {
			t.Errorf("Share(%d) = %v; want %d records", n, part, n)
		}
	}
}

func TestMemoryHoldsWhatIsWritten(t *testing.T) {
	entry := func(name string) Entry { return Entry{Payload: []byte("x"), Records: 1, Counts: Tally{name: 1}} }
	o := NewMemory(Limits{MaxRecords: 2, MaxBytes: 100}, Limits{MaxRecords: 1, MaxBytes: 100})
	o.Append(entry("a"))
	o.Append(entry("b"))
	held, _, _ := o.Hold(100)
	o.Append(entry("c"))
	o.Append(entry("d"))
	if len(held) != 2 {
		t.Fatalf("Hold() = %v; want both entries", held)
	}
	ever, _ := o.Ledger()
	if ever["a"].Queued() != 1 || ever["b"].Queued() != 1 || ever["c"].Settled[QueueFull] != 1 {
		t.Errorf("Ledger() = %v; want what is being written to stay", ever)
	}
	first, _ := o.Next(0)
	if claimed := o.Release(true); claimed != first.ID || first.Records != 1 {
		t.Errorf("Release() = %d; want %d, which is being sent", claimed, first.ID)
	}
	if records, bytes := o.Size(); records != 0 || bytes != 0 {
		t.Errorf("Size() = %d, %d; want nothing left", records, bytes)
	}
	if ever, _ := o.Ledger(); ever.Queued().Total() != 2 {
		t.Errorf("Ledger() = %v; want two records queued elsewhere", ever)
	}
	o.Restore(first)
	o.Done(Entry{ID: first.ID}, Settled{Delivered: first.Counts})
	if ever, _ := o.Ledger(); ever["a"].Settled[Delivered] != 1 || ever["a"].Queued() != 0 {
		t.Errorf("Ledger() = %v; want a delivered", ever)
	}
}

// TestMemoryHoldsAPart has the books tell of what is held alone.
func TestMemoryHoldsAPart(t *testing.T) {
	o := NewMemory(Limits{MaxRecords: 100, MaxBytes: 1000}, Limits{MaxRecords: 1, MaxBytes: 100})
	for i, name := range []string{"a", "b", "c", "d"} {
		o.Append(Entry{Payload: make([]byte, 10*(4-i)), Records: 1, Counts: Tally{name: 1}})
	}
	for _, test := range []struct{ maxBytes, want int }{{0, 1}, {40, 1}, {69, 1}, {70, 2}, {90, 3}, {100, 4}, {1000, 4}} {
		held, ever, more := o.Hold(test.maxBytes)
		if len(held) != test.want || more != (test.want < 4) || ever.Queued().Total() != test.want {
			t.Errorf("Hold(%d) = %d entries, %v, %v; want %d", test.maxBytes, len(held), ever, more, test.want)
		}
		o.Release(false)
	}
}

func TestMemoryInherits(t *testing.T) {
	o := NewMemory(Limits{}, Limits{})
	before := Ledger{}
	before.Observe(Tally{"a": 10})
	before.Settle(Tally{"a": 7}, Delivered)
	o.Inherit(before, Tally{"a": 3})
	ever, process := o.Ledger()
	if ever["a"] != before["a"] {
		t.Errorf("ever = %v; want %v", ever, before)
	}
	if process["a"].Observed != 3 || process["a"].Queued() != 3 {
		t.Errorf("process = %v; want the three that are left", process)
	}
}
