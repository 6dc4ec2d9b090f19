package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/responsestest"
)

const (
	// demoTimeout bounds the demo, which takes about a second.
	demoTimeout = 15 * time.Second
	// demoPace is the time between two events of the model's stream.
	demoPace = 40 * time.Millisecond
)

func (a *app) demoCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the events of a sample conversation, without a key or a network",
		Args:  cobra.NoArgs,
		RunE:  failed(func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), asJSON) }),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// demo runs a model, a proxy in front of it and an agent, and prints what the proxy tells.
func (a *app) demo(ctx context.Context, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	model, err := responsestest.Start(responsestest.Options{})
	if err != nil {
		return fmt.Errorf("start model: %w", err)
	}
	defer model.Close()
	model.Sequence(demoTurn()...)

	cfg := config.Default()
	cfg.Listen, cfg.Upstream.BaseURL = "127.0.0.1:0", model.BaseURL()
	cfg.OTel.LogUserPrompt = true
	// What the agent reports is shown at once.
	cfg.Report.MergeGrace = 0
	cfg.Log.Level = "warn"
	server := &app{stderr: a.stderr}
	addrs, served := make(chan net.Addr, 1), make(chan error, 1)
	server.onListen = func(addr net.Addr) { addrs <- addr }
	serving, stop := context.WithCancel(ctx)
	go func() { served <- server.serveConfig(serving, &cfg, newLogger(a.stderr, cfg.Log)) }()
	select {
	case addr := <-addrs:
		err = a.demoTalk(ctx, "http://"+addr.String(), asJSON)
		stop()
		return errors.Join(err, <-served)
	case err := <-served:
		stop()
		return err
	}
}

// demoTalk follows the feed of the proxy, lets the agent talk once it does, and returns when all has been told.
func (a *app) demoTalk(ctx context.Context, proxyURL string, asJSON bool) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	connected, talked := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-connected:
			err := newDemoAgent(proxyURL).talk(ctx)
			if err != nil {
				stop()
			}
			talked <- err
		case <-following.Done():
			talked <- following.Err()
		}
	}()
	answered := 0
	err := a.follow(following, console.FollowConfig{
		URL: proxyURL,
		OnState: func(state console.State) {
			switch state.Connection {
			case console.Connected:
				close(connected)
			case console.Lost:
				stop()
			case console.Connecting:
			}
		},
		OnEvent: func(event console.Event) {
			if isCompletion(event) {
				answered++
			}
			if answered == len(demoTurn()) {
				stop()
			}
		},
	}, asJSON)
	stop()
	if err := errors.Join(err, <-talked); err != nil {
		return fmt.Errorf("run demo: %w", err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("run demo: %w", ctx.Err())
	}
	return nil
}
