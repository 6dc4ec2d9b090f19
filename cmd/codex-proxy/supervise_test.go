package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

func TestSuperviseRunsAgainAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		s := &service{logger: slog.New(slog.NewTextHandler(&logged, nil))}
		runs := 0
		s.supervise(t.Context(), "part", func(context.Context) error {
			runs++
			switch runs {
			case 1:
				panic("s3cret")
			case 2:
				_ = []int{}[runs-1]
			}
			return nil
		})
		if runs != 3 || s.panics.Load() != 2 {
			t.Errorf("%d runs, %d panics; want 3, 2", runs, s.panics.Load())
		}
		for _, want := range []string{"part=part", "panic with a string", "index out of range"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("logged %s; want %s in it", logged.String(), want)
			}
		}
		if strings.Contains(logged.String(), "s3cret") {
			t.Error("the value of a panic was logged")
		}
	})
}

func TestSuperviseGivesUpWhenItIsOver(t *testing.T) {
	s := &service{logger: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	s.supervise(ctx, "part", func(context.Context) error {
		runs++
		cancel()
		panic("again")
	})
	if runs != 2 {
		t.Errorf("%d runs; want 2, the last of them after the end", runs)
	}
}
