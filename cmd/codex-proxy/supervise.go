package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"
)

// restartDelay is the pause before a part that panicked runs again.
const restartDelay = time.Second

// supervise runs a part of the observing side until it returns. Traffic goes on whatever happens here: a panic is logged
// and counted, and the part runs again, a last time once ctx has ended.
func (s *service) supervise(ctx context.Context, part string, run func(context.Context) error) {
	for {
		last := ctx.Err() != nil
		err := contained(ctx, run)
		p, panicked := errors.AsType[*panicError](err)
		if !panicked {
			s.logError(ctx, part+" ended", err)
			return
		}
		s.panics.Add(1)
		s.logger.ErrorContext(ctx, "a part of codex-proxy panicked and starts again; please report this",
			slog.String("part", part), slog.String("error", p.Error()), slog.String("stack", string(p.stack)))
		if last {
			return
		}
		pause := time.NewTimer(restartDelay)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// panicError is a panic turned into an error.
type panicError struct {
	text  string
	stack []byte
}

// Error implements error.
func (e *panicError) Error() string { return e.text }

// contained calls run and turns a panic into a panicError. The value of a panic may hold content, so only its type is told,
// unless it is the runtime's own.
func contained(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		switch value := recover().(type) {
		case nil:
		case runtime.Error:
			err = &panicError{value.Error(), debug.Stack()}
		default:
			err = &panicError{fmt.Sprintf("panic with a %T", value), debug.Stack()}
		}
	}()
	return run(ctx)
}
