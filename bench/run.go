package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
)

// Run is one load run.
type Run struct {
	Client      *Client
	Mode        Mode
	Duration    time.Duration
	Upstream    string  // URL for the ledger; empty skips the byte check
	Keeper      *keeper // of the proxy's books; nil for none
	ProxyPID    int     // 0: no proxy to account for
	UpstreamPID int     // 0: unknown
	SinkPID     int     // 0: none
}

// Do warms the proxy up, loads it and accounts for what it used.
func (run Run) Do(ctx context.Context) (Result, error) {
	warm := run.Mode
	warm.Idle = false
	warm.Spec.Events, warm.Spec.Delay = 50, min(warm.Spec.Delay, 5*time.Millisecond)
	warm.Concurrency = min(warm.Concurrency, 100)
	if warmed := loop(ctx, run.Client, warm, time.Second); warmed.streams == 0 {
		return Result{}, fmt.Errorf("warm-up: no stream completed: %w", warmed.firstError)
	}
	if run.Upstream != "" {
		if _, err := takeLedger(ctx, run.Upstream); err != nil {
			return Result{}, err
		}
	}
	if err := run.Keeper.settle(ctx); err != nil {
		return Result{}, err
	}
	runtime.GC()
	if run.Mode.Idle {
		return run.idle(ctx)
	}
	return run.busy(ctx)
}

// busy loads the proxy and measures until its telemetry is delivered.
func (run Run) busy(ctx context.Context) (Result, error) {
	before, err := run.account()
	if err != nil {
		return Result{}, err
	}
	seen := loop(ctx, run.Client, run.Mode, run.Duration)
	loaded := time.Since(before.at)
	if err := run.Keeper.settle(ctx); err != nil {
		return Result{}, err
	}
	after, err := run.account()
	if err != nil {
		return Result{}, err
	}
	result := after.since(before)
	result.Mode, result.Seconds = run.Mode.Name, loaded.Seconds()
	result.Streams, result.Events, result.Bytes, result.Sent = seen.streams, seen.events, seen.bytes, seen.sent
	result.Latency, result.FirstByte = quantiles(seen.latency), quantiles(seen.first)
	result.Errors = seen.errors
	if seen.firstError != nil {
		result.FirstError = seen.firstError.Error()
	}
	if result.Books, err = run.Keeper.books(ctx); err != nil {
		return Result{}, err
	}
	err = run.compare(ctx, seen, &result)
	return result, err
}

// compare sets the digests that the client has against those of the upstream.
func (run Run) compare(ctx context.Context, seen seen, result *Result) error {
	if run.Upstream == "" {
		return nil
	}
	ledger, err := takeLedger(ctx, run.Upstream)
	if err != nil {
		return err
	}
	for id, got := range seen.sums {
		sent, ok := ledger.Streams[id]
		if !ok || sent.Response != got.Response {
			result.ResponseAltered++
		}
		if !ok || sent.Request != got.Request {
			result.RequestAltered++
		}
	}
	if run.Mode.TLS {
		result.OldHTTP = ledger.Requests - ledger.HTTP2
		if result.OldHTTP > 0 && result.FirstError == "" {
			result.FirstError = "requests reached the upstream without HTTP/2"
		}
	}
	return nil
}

// openLimit bounds the time that opening idle streams may take.
const openLimit = 60 * time.Second

// idle holds Concurrency slow streams open and measures over Duration.
func (run Run) idle(parent context.Context) (Result, error) {
	ctx, cancel := context.WithTimeout(parent, openLimit+run.Duration+time.Minute)
	defer cancel()
	empty, err := run.account()
	if err != nil {
		return Result{}, err
	}
	body := run.Client.body(run.Mode.Spec, run.Mode.BodySize)
	var (
		readers, opening sync.WaitGroup
		slots            = make(chan struct{}, 64)
		failed           = make(chan error, run.Mode.Concurrency)
		start            = time.Now()
		asked            int
	)
	for ; asked < run.Mode.Concurrency && time.Since(start) < openLimit; asked++ {
		slots <- struct{}{}
		opening.Add(1)
		readers.Go(func() {
			response, err := run.Client.open(ctx, run.Mode.Spec, body)
			<-slots
			opening.Done()
			if err != nil {
				failed <- err
				return
			}
			defer response.Body.Close()
			_, _ = io.Copy(io.Discard, response.Body)
			if ctx.Err() == nil {
				failed <- errors.New("stream ended before it was canceled")
			}
		})
	}
	opening.Wait()
	pause(ctx, 3*time.Second) // settle
	before, err := run.account()
	if err != nil {
		return Result{}, err
	}
	pause(ctx, run.Duration)
	after, err := run.account()
	if err != nil {
		return Result{}, err
	}
	cancel()
	readers.Wait()

	result := after.since(before)
	result.Mode = run.Mode.Name
	result.RSSBefore = empty.proxy.RSS
	result.Streams = asked - len(failed)
	result.Errors = run.Mode.Concurrency - result.Streams
	if len(failed) > 0 {
		result.FirstError = (<-failed).Error()
	}
	return result, parent.Err()
}
