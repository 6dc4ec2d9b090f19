package otlp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBatchIsSealedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{replies: []reply{{}}}
		x := openScripted(Config{}, s)
		go x.Run(t.Context())
		defer x.Close()
		start := time.Now()
		for range 3 {
			x.Record(delta())
			<-time.After(60 * time.Millisecond)
		}
		<-time.After(time.Second)
		if tries, _ := s.history(); len(tries) != 1 || tries[0].Sub(start) != 200*time.Millisecond {
			t.Errorf("tries at %v; want one, 200 ms after the first record", tries)
		}
		x.Record(delta())
		<-time.After(time.Second)
		if tries, _ := s.history(); len(tries) != 2 {
			t.Errorf("%d tries; want 2: the timer does not start again", len(tries))
		}
	})
}

func TestBatchIsSealedWhenFull(t *testing.T) {
	s := &scripted{replies: []reply{{}}}
	x := openScripted(Config{Batch: BatchLimits{MaxRecords: 10}}, s)
	defer x.Close()
	for range 25 {
		x.Record(delta())
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if s.count() != 3 {
		t.Errorf("%d requests for 25 records; want 3", s.count())
	}
}

func TestBatchIsBoundedInBytes(t *testing.T) {
	s := &scripted{replies: []reply{{}}}
	x := openScripted(Config{Batch: BatchLimits{MaxBytes: 20_000}}, s)
	defer x.Close()
	for _, size := range []int{5000, 5000, 5000, 5000, 100, 50_000, 100, 19_000, 900} {
		x.Record(prompt(strings.Repeat("x", size)))
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	_, sizes := s.history()
	alone := 0
	for _, size := range sizes {
		if size > 50_000 {
			alone++
		} else if size > 20_000 {
			t.Errorf("request of %d bytes; want at most 20000", size)
		}
	}
	if s := x.Stats(); alone != 1 || s.Delivered != 9 {
		t.Errorf("%d requests with a large record, Stats() = %+v; want 1, and 9 delivered", alone, s)
	}
}
