package otlp

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestFailuresAreLoggedOnce(t *testing.T) {
	book := newLogbook()
	var tries atomic.Int64
	c := startCollector(t, ProtocolGRPC, false, "", func(received) answer {
		switch n := tries.Add(1); {
		case n <= 5:
			return answer{status: status.New(codes.Unavailable, "restarting")}
		case n <= 10:
			return answer{status: status.New(codes.Aborted, "busy")}
		}
		return answer{}
	})
	cfg := c.config()
	cfg.Logger = book.logger()
	x := open(t, cfg)
	x.Record(delta())
	for range 11 {
		_ = x.Flush(t.Context())
	}
	if got := book.count("otlp export fails"); got != 2 {
		t.Errorf("%d lines tell of failures; want one for each cause:\n%s", got, book)
	}
	if book.count("failed_tries=10") != 1 || book.count("recovered") != 1 {
		t.Errorf("log = %s; want one recovery after 10 tries", book)
	}
}

func TestHealthDoesNotFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newLogbook()
		h := newHealth(book.logger(), ProtocolGRPC, "collector.example")
		for range 600 {
			h.fails("http 503", "http 503", true)
			h.works()
			<-time.After(time.Second)
		}
		if got := book.count("otlp export fails"); got != 10 {
			t.Errorf("%d lines in 10 minutes; want 10", got)
		}
		book = newLogbook()
		h = newHealth(book.logger(), ProtocolGRPC, "collector.example")
		for range 600 {
			h.fails("http 503", "http 503", true)
			<-time.After(time.Second)
		}
		if got := book.count("otlp export fails"); got != 1 {
			t.Errorf("%d lines in one outage; want 1", got)
		}
	})
}
