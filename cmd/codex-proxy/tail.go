package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/codex-proxy/codex-proxy/internal/console"
)

// quietTime is how long a feed is quiet before responses under way are summed up.
const quietTime = 500 * time.Millisecond

func (a *app) tailCommand() *cobra.Command {
	var follow console.FollowConfig
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print the events of a running proxy as they come",
		Args:  cobra.NoArgs,
		RunE: failed(func(cmd *cobra.Command, _ []string) error {
			follow.OnState = (&feedState{app: a, url: follow.URL}).tell
			return a.follow(cmd.Context(), follow, asJSON)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&follow.URL, "url", "http://127.0.0.1:8787", "`URL` of the proxy")
	flags.StringSliceVar(&follow.Conversations, "conversation", nil, "only conversations with this `id`")
	flags.StringSliceVar(&follow.Events, "event", nil, "only events of this `name`, such as sse_event")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// follow prints a feed until ctx ends. The functions of cfg are called beside.
func (a *app) follow(ctx context.Context, cfg console.FollowConfig, asJSON bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renderer := newRenderer(a.stdout, asJSON)
	// Nobody reads on when printing fails, for instance after | head.
	check := func(err error) {
		if err != nil {
			cancel(&printError{err})
		}
	}
	quiet := time.AfterFunc(quietTime, func() { check(renderer.Flush()) })
	defer quiet.Stop()
	onEvent := cfg.OnEvent
	cfg.OnEvent = func(event console.Event) {
		check(renderer.Event(event))
		quiet.Reset(quietTime)
		if onEvent != nil {
			onEvent(event)
		}
	}
	cfg.OnMissed = func(missed console.Missed) { check(renderer.Missed(missed)) }
	if err := console.Follow(ctx, cfg); err != nil {
		return err
	}
	if err, ok := context.Cause(ctx).(*printError); ok { //nolint:errorlint // the cause is set above, unwrapped
		return err
	}
	return renderer.Flush()
}

// printError is the cause of a feed that is given up because it cannot be printed.
type printError struct{ error }

// newRenderer returns a renderer for w: on a terminal colorful, and as wide as it is now.
func newRenderer(w io.Writer, asJSON bool) *console.Renderer {
	renderer := &console.Renderer{W: w, JSON: asJSON}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return renderer
	}
	renderer.Color = os.Getenv("NO_COLOR") == ""
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		renderer.Width = width
	}
	return renderer
}

// feedState tells people how their feed is: when it is there, and when that changes.
type feedState struct {
	app  *app
	url  string
	last console.Connection
}

func (f *feedState) tell(state console.State) {
	if state.Connection == console.Connecting || state.Connection == f.last {
		return
	}
	f.last = state.Connection
	if state.Connection == console.Connected {
		fmt.Fprintf(f.app.stderr, "codex-proxy: following %s\n", f.url)
		return
	}
	reason := "the proxy ended the feed"
	if state.Err != nil {
		reason = state.Err.Error()
	}
	fmt.Fprintf(f.app.stderr, "codex-proxy: feed lost: %s; trying again\n", reason)
}
