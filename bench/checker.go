package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// checker runs the fidelity checks.
type checker struct {
	client, direct *Client
	upstream       string
}

// bytes checks that request and response arrive unchanged.
func (c checker) bytes(ctx context.Context, spec Spec, size int) error {
	if _, err := takeLedger(ctx, c.upstream); err != nil {
		return err
	}
	body := c.client.body(spec, size)
	stream, err := c.client.stream(ctx, spec, body)
	if err != nil {
		return err
	}
	ledger, err := takeLedger(ctx, c.upstream)
	if err != nil {
		return err
	}
	sent, ok := ledger.Streams[stream.ID]
	if !ok {
		return fmt.Errorf("response id %q is not the upstream's", stream.ID)
	}
	var problems []error
	if sum := sha256.Sum256(body); sent.Request != hex.EncodeToString(sum[:]) {
		problems = append(problems, errors.New("request altered"))
	}
	if sent.Response != stream.Sum {
		problems = append(problems, errors.New("response altered"))
	}
	return errors.Join(problems...)
}

// prompt checks that an event arrives before the next one is sent.
func (c checker) prompt(ctx context.Context) error {
	spec := defaultSpec()
	spec.Events, spec.Delay = 5, 200*time.Millisecond
	stream, err := c.client.stream(ctx, spec, c.client.body(spec, 0))
	if err != nil {
		return err
	}
	if stream.First > spec.Delay {
		return fmt.Errorf("first byte after %v", stream.First.Round(time.Millisecond))
	}
	for _, latency := range stream.Latency {
		if latency > spec.Delay/2 {
			return fmt.Errorf("event after %v", latency.Round(time.Millisecond))
		}
	}
	return nil
}

// truncated checks that a broken stream does not look complete.
func (c checker) truncated(ctx context.Context) error {
	spec := defaultSpec()
	spec.Events, spec.Truncate = 20, true
	stream, err := c.client.stream(ctx, spec, c.client.body(spec, 0))
	switch {
	case errors.Is(err, errIncomplete):
		return errors.New("broken connection arrives as a clean end")
	case err == nil:
		return errors.New("stream arrives as complete")
	case stream.Events != spec.Events/2:
		return fmt.Errorf("%d of %d events before the break arrive", stream.Events, spec.Events/2)
	}
	return nil
}

// gone checks that the upstream learns of a client that went away.
func (c checker) gone(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	spec := defaultSpec()
	spec.Events, spec.Delay = 1000, 50*time.Millisecond
	response, err := c.client.open(ctx, spec, c.client.body(spec, 0))
	if err != nil {
		return err
	}
	cancel()
	response.Body.Close()
	start := time.Now()
	for time.Since(start) < 2*time.Second {
		ledger, err := takeLedger(parent, c.upstream)
		if err != nil {
			return err
		}
		if ledger.Active == 0 {
			return nil
		}
		pause(parent, 20*time.Millisecond)
	}
	return errors.New("upstream still streams after 2s")
}

// headers checks status, diagnostic headers and, for errors, the body, and
// that the upstream was asked once.
func (c checker) headers(ctx context.Context, spec Spec) error {
	want, wantBody, err := fetch(ctx, c.direct, spec)
	if err != nil {
		return err
	}
	if _, err := takeLedger(ctx, c.upstream); err != nil {
		return err
	}
	got, gotBody, err := fetch(ctx, c.client, spec)
	if err != nil {
		return err
	}
	ledger, err := takeLedger(ctx, c.upstream)
	if err != nil {
		return err
	}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if got.StatusCode != want.StatusCode {
		problem("status %d", got.StatusCode)
	}
	for _, name := range []string{"Cf-Ray", "X-Request-Id", "Openai-Processing-Ms", "Content-Type", "Retry-After"} {
		if before, after := want.Header.Get(name), got.Header.Get(name); before != "" && after == "" {
			problem("%s lost", name)
		} else if name == "Content-Type" && before != after {
			problem("%s altered", name)
		}
	}
	if spec.Status != http.StatusOK && !bytes.Equal(gotBody, wantBody) {
		problem("body altered")
	}
	if ledger.Requests != 1 {
		problem("upstream asked %d times", ledger.Requests)
	}
	return errors.Join(problems...)
}

func fetch(ctx context.Context, client *Client, spec Spec) (*http.Response, []byte, error) {
	response, err := client.post(ctx, spec, client.body(spec, 0))
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}
