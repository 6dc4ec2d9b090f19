package store

import (
	"fmt"
	"testing"

	"github.com/codex-proxy/codex-proxy/internal/outbox"
)

// deltas returns a batch of n deltas as a stream makes them.
func deltas(n int) outbox.Entry {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("~%032x", i)
	}
	return entry(0, ids...)
}

// BenchmarkAppend is what a batch costs whose delivery is faster than the next transaction.
func BenchmarkAppend(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	e := deltas(512)
	b.ReportAllocs()
	for b.Loop() {
		s.Append(e)
		next, _ := s.Next(0)
		s.Done(outbox.Entry{ID: next.ID}, outbox.Settled{outbox.Delivered: next.Counts})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/512, "ns/record")
}

// BenchmarkCommit is what writing costs, beside: compressing batches and a transaction that is synced.
func BenchmarkCommit(b *testing.B) {
	for _, records := range []int{5, 50, 512} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			s, err := Open(Config{Dir: b.TempDir(), MaxBytes: 64 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			e := deltas(records)
			b.ReportAllocs()
			for b.Loop() {
				s.Append(e)
				if err := s.Sync(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/record")
		})
	}
}

// BenchmarkNext reads a backlog, joined into full batches.
func BenchmarkNext(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for range 200 {
		s.Append(deltas(50))
		if err := s.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		e, ok := s.Next(0)
		if !ok {
			b.Fatal("nothing waits")
		}
		s.Done(e, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/record")
}
