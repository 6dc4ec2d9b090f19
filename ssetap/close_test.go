package ssetap

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTapCloseFreesBlockedRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		sink := &recorder{}
		tap := NewTap(r, sink, Options{})
		done := make(chan error)
		go func() {
			_, err := readAll(tap)
			done <- err
		}()
		io.WriteString(w, "data: 1\n\n")
		synctest.Wait() // the reader is back in Read, and blocked
		if len(sink.log) != 1 {
			t.Errorf("%d events; want 1", len(sink.log))
		}
		tap.Close()
		if err := <-done; !same(err, io.ErrClosedPipe) {
			t.Errorf("Read() = _, %v; want the body's own error", err)
		}
		if len(sink.ends) != 1 || sink.ends[0].By != EndedByClient || sink.ends[0].Err != nil {
			t.Errorf("ends = %+v; want one by the client, without error", sink.ends)
		}
	})
}

func TestTapIdle(t *testing.T) {
	for _, c := range []struct {
		name string
		wait time.Duration
		err  error // what the body answers when the client is gone
		want EndedBy
	}{
		{"hangs up soon", DefaultIdleAfter - time.Second, context.Canceled, EndedByClient},
		{"hangs up after the time-out", DefaultIdleAfter, context.Canceled, EndedByIdle},
		{"deadline of the body", time.Second, context.DeadlineExceeded, EndedByIdle},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				sink := &recorder{}
				tap := NewTap(r, sink, Options{})
				go func() {
					<-time.After(time.Hour) // a slow start is no idleness: the event counts
					io.WriteString(w, "data: 1\n\n")
					<-time.After(c.wait)
					w.CloseWithError(c.err)
				}()
				if _, err := readAll(tap); !same(err, c.err) {
					t.Errorf("Read() = _, %v; want %v", err, c.err)
				}
				tap.Close()
				if end := sink.ends[0]; end.By != c.want || end.At.Sub(end.LastAt) != c.wait || !same(end.Err, c.err) {
					t.Errorf("End = %+v; want by %v, %v after the last event, error %v", end, c.want, c.wait, c.err)
				}
			})
		})
	}
}

// TestTapCloseRaces means something under the race detector: reads, and closes from several sides.
func TestTapCloseRaces(t *testing.T) {
	for _, make := range []func(io.ReadCloser, Sink) io.ReadCloser{
		func(body io.ReadCloser, sink Sink) io.ReadCloser { return NewTap(body, sink, Options{}) },
		func(body io.ReadCloser, sink Sink) io.ReadCloser { return NewBodyTap(body, sink, Options{}) },
	} {
		for i := range 200 {
			r, w := io.Pipe()
			sink := &recorder{}
			tap := make(r, sink)
			var all sync.WaitGroup
			all.Go(func() {
				for {
					if _, err := io.WriteString(w, "data: 1\n\n"); err != nil {
						return
					}
				}
			})
			all.Go(func() { readAll(tap) })
			for range 2 {
				all.Go(func() {
					if i%2 == 0 {
						tap.Read(nil)
					}
					tap.Close()
				})
			}
			all.Wait()
			if len(sink.ends) != 1 {
				t.Fatalf("%d ends; want 1", len(sink.ends))
			}
			if end := sink.ends[0]; end.Events != int64(len(sink.log)) {
				t.Fatalf("End has %d events; want the %d delivered", end.Events, len(sink.log))
			}
		}
	}
}
