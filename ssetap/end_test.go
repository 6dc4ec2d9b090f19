package ssetap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// timeoutError is an error in the manner of net.Error.
type timeoutError struct{ timeout bool }

func (e timeoutError) Error() string { return "no luck" }
func (e timeoutError) Timeout() bool { return e.timeout }

func TestEndBy(t *testing.T) {
	const idle = 10 * time.Second
	for _, c := range []struct {
		name     string
		complete bool
		err      error
		waited   time.Duration
		want     EndedBy
	}{
		{"complete, clean", true, io.EOF, 0, EndedByCompleted},
		{"complete, client left", true, context.Canceled, idle, EndedByCompleted},
		{"complete, closed", true, nil, idle, EndedByCompleted},
		{"complete, reset", true, io.ErrUnexpectedEOF, 0, EndedByCompleted},
		{"clean but early", false, io.EOF, 0, EndedByUpstream},
		{"clean but early and late", false, io.EOF, idle, EndedByUpstream},
		{"cut off", false, io.ErrUnexpectedEOF, idle, EndedByUpstream},
		{"eof wrapped in another error", false, fmt.Errorf("transport broke: %w", io.EOF), 0, EndedByUpstream},
		{"other error", false, errors.New("reset"), 0, EndedByUpstream},
		{"closed", false, nil, idle - 1, EndedByClient},
		{"canceled", false, fmt.Errorf("read: %w", context.Canceled), idle - 1, EndedByClient},
		{"closed after waiting", false, nil, idle, EndedByIdle},
		{"canceled after waiting", false, context.Canceled, idle, EndedByIdle},
		{"deadline of a file", false, fmt.Errorf("read: %w", os.ErrDeadlineExceeded), 0, EndedByIdle},
		{"deadline of a context", false, context.DeadlineExceeded, 0, EndedByIdle},
		{"time-out", false, fmt.Errorf("read: %w", timeoutError{true}), 0, EndedByIdle},
		{"no time-out", false, timeoutError{false}, 0, EndedByUpstream},
	} {
		start := time.Unix(1_700_000_000, 0)
		end := End{LastAt: start, At: start.Add(c.waited)}
		end.setError(c.err)
		end.setBy(c.complete, idle)
		if end.By != c.want {
			t.Errorf("%s: By = %v; want %v", c.name, end.By, c.want)
		}
		if eof := same(c.err, io.EOF); end.EOF != eof || (end.Err == nil) != (c.err == nil || eof) {
			t.Errorf("%s: EOF = %t, Err = %v after %v", c.name, end.EOF, end.Err, c.err)
		}
	}
}

func TestEndedByString(t *testing.T) {
	for by, want := range map[EndedBy]string{
		EndedByCompleted: "completed", EndedByUpstream: "upstream", EndedByClient: "client", EndedByIdle: "idle", 200: "unknown",
	} {
		if got := by.String(); got != want {
			t.Errorf("EndedBy(%d).String() = %q; want %q", by, got, want)
		}
	}
}
