package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Event is one event of the feed.
type Event struct {
	ID   string // empty unless it came over the feed
	Name string // such as codex.api_request
	Data []byte // the JSON object of AppendJSON
}

// FollowConfig configures Follow. Only URL is needed. Follow calls the
// functions one at a time, from its own goroutine.
type FollowConfig struct {
	// URL of the proxy, such as http://127.0.0.1:8787, or of its feed. Without a
	// path, LivePath is meant.
	URL           string
	Conversations []string // empty means all
	Events        []string // names, with or without codex.; empty means all
	// HTTPClient must have no Timeout, which would end the feed. nil means one
	// that uses no proxy of the environment.
	HTTPClient *http.Client

	OnEvent  func(Event)
	OnMissed func(Missed)
	OnState  func(State)

	MinBackoff    time.Duration // before the first reconnect; 0 means 250 ms
	MaxBackoff    time.Duration // 0 means 5 s
	IdleTimeout   time.Duration // without a byte, heartbeats included, the feed counts as lost; 0 means 60 s
	MaxEventBytes int           // larger events count as missed; 0 means 16 MiB
}

func (c FollowConfig) withDefaults() FollowConfig {
	c.MinBackoff = positiveOr(c.MinBackoff, 250*time.Millisecond)
	c.MaxBackoff = max(c.MinBackoff, positiveOr(c.MaxBackoff, 5*time.Second))
	c.IdleTimeout = positiveOr(c.IdleTimeout, time.Minute)
	c.MaxEventBytes = positiveOr(c.MaxEventBytes, 16<<20)
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	if c.OnMissed == nil {
		c.OnMissed = func(Missed) {}
	}
	if c.OnState == nil {
		c.OnState = func(State) {}
	}
	return c
}

// Connection is where Follow stands.
type Connection uint8

// The connections that Follow tells of.
const (
	Connecting Connection = iota
	Connected
	Lost
)

// State is what FollowConfig.OnState is told.
type State struct {
	Connection Connection
	Err        error         // why it was lost; nil when the proxy ended the feed
	Retry      time.Duration // until the next attempt, when lost
}

// errIdle is the cause of a feed given up because nothing came.
var errIdle = errors.New("no heartbeat from the proxy")

// Follow reads a live feed until ctx ends, and returns nil then. A feed that is
// lost is taken up again where it was, after a pause that grows while that
// fails. Follow returns an error when the first attempt fails, and when the
// proxy refuses the reader for good (a status 4xx).
func Follow(ctx context.Context, cfg FollowConfig) error {
	f := &follower{cfg: cfg.withDefaults(), client: cfg.HTTPClient}
	address, err := feedURL(f.cfg)
	if err != nil {
		return err
	}
	f.url = address
	if f.client == nil {
		transport := feedTransport()
		defer transport.CloseIdleConnections()
		f.client = &http.Client{Transport: transport}
	}
	for {
		f.cfg.OnState(State{Connection: Connecting})
		err := f.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if refused, ok := errors.AsType[*refusedError](err); !f.connected || ok && refused.permanent() {
			return err
		}
		pause := f.pause()
		f.cfg.OnState(State{Connection: Lost, Err: err, Retry: pause})
		if !wait(ctx, pause) {
			return nil
		}
	}
}

// feedTransport returns a transport for one long response from a near server.
func feedTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 10 * time.Second,
		ForceAttemptHTTP2:     true,
	}
}

// feedURL returns the address of the feed with its filters.
func feedURL(cfg FollowConfig) (*url.URL, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("follow live feed: %q is not an http or https URL", cfg.URL)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = LivePath
	}
	query := u.Query()
	for _, id := range cfg.Conversations {
		query.Add("conversation", id)
	}
	if len(cfg.Events) > 0 {
		query.Add("event", strings.Join(cfg.Events, ","))
	}
	u.RawQuery = query.Encode()
	return u, nil
}

type follower struct {
	cfg       FollowConfig
	client    *http.Client
	url       *url.URL
	lastID    string
	connected bool // once at least
	failures  int  // attempts since something was read
}

// session reads one response to its end. It returns nil when the proxy ended it.
func (f *follower) session(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f.failures++
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url.String(), http.NoBody)
	if err != nil {
		return fmt.Errorf("follow live feed: %w", err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if f.lastID != "" {
		req.Header.Set("Last-Event-ID", f.lastID)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return f.unreachable(err)
	}
	defer resp.Body.Close()
	if err := checkFeed(resp, f.url); err != nil {
		return err
	}
	f.connected = true
	f.cfg.OnState(State{Connection: Connected})

	idle := time.AfterFunc(f.cfg.IdleTimeout, func() { cancel(errIdle) })
	defer idle.Stop()
	stream := newEventReader(resp.Body, f.cfg.MaxEventBytes)
	stream.lastID = f.lastID
	stream.onLine = func() { idle.Reset(f.cfg.IdleTimeout) }
	for {
		event, err := stream.next()
		f.lastID = stream.lastID
		switch {
		case errors.Is(err, errEventSize):
			f.cfg.OnMissed(oneMissed(ReasonSize))
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && errors.Is(context.Cause(ctx), errIdle):
			return errIdle
		case err != nil:
			return fmt.Errorf("read live feed: %w", err)
		default:
			f.tell(event)
		}
		f.failures = 0
	}
}

func (f *follower) tell(event Event) {
	if event.Name != NameMissed {
		f.cfg.OnEvent(event)
		return
	}
	missed, err := parseMissed(event.Data)
	if err != nil {
		missed = Missed{}
	}
	f.cfg.OnMissed(missed)
}

// unreachable explains why no response came.
func (f *follower) unreachable(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("follow live feed: is the proxy running on %s? %w", f.url.Host, err)
	}
	return fmt.Errorf("follow live feed: %w", err)
}

// pause returns how long to wait: doubled with every failure, and up to half of
// it random, so that readers do not return in step.
func (f *follower) pause() time.Duration {
	d := f.cfg.MaxBackoff
	if doublings := max(0, f.failures-1); doublings < 16 {
		d = min(d, f.cfg.MinBackoff<<doublings)
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // Jitter needs no secrecy.
}

// wait reports whether d passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
