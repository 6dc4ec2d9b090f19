package main

import (
	"fmt"
	"slices"
	"time"
)

// Values of Mode.Socket.
const (
	socketPlain   = "plain"
	socketDeflate = "deflate"
)

// Mode is a way to load a proxy.
type Mode struct {
	Name        string
	About       string // one line
	Spec        Spec
	Concurrency int
	BodySize    int    // bytes of request body
	Grow        int    // bytes that each request of a worker is longer than the one before
	Idle        bool   // open Concurrency streams and hold them
	TLS         bool   // the upstream speaks HTTP/2 over TLS
	Socket      string // the requests go over a WebSocket, without or with compression; empty: over HTTP
}

// modes lists the loads. They are told apart by name.
func modes() []Mode {
	spec := func(events int, delay time.Duration) Spec {
		s := defaultSpec()
		s.Events, s.Delay = events, delay
		return s
	}
	const turn = 2 << 10
	paced := spec(100, 20*time.Millisecond)
	all := []Mode{
		{Name: "paced", About: "100 streams, 100 events each, one per 20 ms", Spec: paced, Concurrency: 100, BodySize: turn},
		{Name: "flood", About: "32 streams, 200 events each, no pause", Spec: spec(200, 0), Concurrency: 32, BodySize: turn},
		{Name: "large", About: "1 MB requests, 8 at a time, 10 events", Spec: spec(10, 0), Concurrency: 8, BodySize: 1 << 20},
		{Name: "huge", About: "20 MB requests, 2 at a time, 10 events", Spec: spec(10, 0), Concurrency: 2, BodySize: 20 << 20},
		{Name: "growing", About: "requests of 1 MB, each 4 KB longer than the one before, 4 at a time", Spec: spec(10, 0), Concurrency: 4, BodySize: 1 << 20, Grow: 4 << 10},
		{Name: "h2", About: "paced, the upstream over TLS and HTTP/2", Spec: paced, Concurrency: 100, BodySize: turn, TLS: true},
		{Name: "socket", About: "paced, over WebSockets", Spec: paced, Concurrency: 100, BodySize: turn, Socket: socketPlain},
		{Name: "deflate", About: "paced, over WebSockets with compression", Spec: paced, Concurrency: 100, BodySize: turn, Socket: socketDeflate},
	}
	for _, streams := range []int{1000, 5000, 9500} {
		all = append(all, Mode{
			Name: fmt.Sprintf("idle%d", streams), About: "that many open streams, an event per 5 s each",
			Spec: spec(1_000_000, 5*time.Second), Concurrency: streams, BodySize: turn, Idle: true,
		})
	}
	// Cost per event against the number of streams: the same 5,000 events a second, over more and more of them.
	for _, streams := range []int{1, 10, 100, 1000, 9500} {
		all = append(all, Mode{
			Name: fmt.Sprintf("spread%d", streams), About: "5,000 events a second over that many streams",
			Spec: spec(max(5, 10_000/streams), time.Duration(streams)*time.Second/5000), Concurrency: streams, BodySize: turn,
		})
	}
	// Cost per event against the length of a stream.
	for _, events := range []int{10, 1000, 100_000} {
		all = append(all, Mode{
			Name: fmt.Sprintf("length%d", events), About: "8 streams of that many events, no pause",
			Spec: spec(events, 0), Concurrency: 8, BodySize: turn,
		})
	}
	return all
}

func modeNamed(name string) (Mode, error) {
	all := modes()
	at := slices.IndexFunc(all, func(m Mode) bool { return m.Name == name })
	if at < 0 {
		return Mode{}, fmt.Errorf("no mode %q", name)
	}
	return all[at], nil
}
