package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
)

// checkStreaming has a running proxy send events in a known rhythm, on the way on which its answers go, and sees whether they
// come in it. The way from the upstream to the proxy is not seen: only a request with a key makes the upstream stream.
func (d *doctor) checkStreaming(ctx context.Context, cfg *config.Config) []finding {
	const check = "streaming"
	base := d.url
	if base == "" {
		var err error
		if base, err = localURL(cfg.Listen); err != nil {
			return []finding{{check, statusFail, err.Error()}}
		}
	}
	name := redactedURL(base)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+probePath, http.NoBody)
	if err != nil {
		return []finding{{check, statusFail, "--url is not a URL"}}
	}
	req.Header.Set("Accept", "text/event-stream")
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	res, err := transport.RoundTrip(req)
	if err != nil && d.url == "" {
		return []finding{{check, statusWarn, "not tested, no proxy runs at " + name + ": " + cause(err)}}
	}
	if err != nil {
		return []finding{{check, statusFail, name + ": " + cause(err)}}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return []finding{{check, statusFail, fmt.Sprintf("%s answers with status %d and is no codex-proxy that knows how to be probed", name, res.StatusCode)}}
	}
	arrivals, err := readProbe(res.Body)
	if err != nil || len(arrivals) < probeEvents {
		return []finding{{check, statusFail, fmt.Sprintf("%s: %d of %d events came, then the stream broke off", name, len(arrivals), probeEvents)}}
	}
	return []finding{judgeArrivals(name, arrivals)}
}

// readProbe returns when each event came.
func readProbe(body io.Reader) ([]time.Time, error) {
	var arrivals []time.Time
	lines := bufio.NewScanner(io.LimitReader(body, 64<<10))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			arrivals = append(arrivals, time.Now())
		}
	}
	return arrivals, lines.Err()
}

// judgeArrivals says whether events came as they were sent: over seven pauses, with no more than half of them missing.
func judgeArrivals(name string, arrivals []time.Time) finding {
	const check, sent = "streaming", (probeEvents - 1) * probePace
	took := arrivals[len(arrivals)-1].Sub(arrivals[0])
	if took < sent/2 {
		return finding{check, statusFail, fmt.Sprintf("a hop between here and %s holds streams back: events of %s came within %s (nginx: proxy_buffering off)",
			name, sent, took.Round(time.Millisecond))}
	}
	return finding{check, statusOK, fmt.Sprintf("%s: %d events came one by one; the way from the upstream is not tested, which takes a key", name, len(arrivals))}
}
