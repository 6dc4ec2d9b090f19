package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/proxy"
)

// soonExpired is when a certificate is worth a warning.
const soonExpired = 14 * 24 * time.Hour

// clock is the time that somebody else has.
type clock struct {
	of   string
	skew time.Duration // how far the other one is ahead
}

// checkUpstream asks each upstream for its models, without credentials. Any answer shows that it is there.
func (d *doctor) checkUpstream(ctx context.Context, cfg *config.Config) []finding {
	const check = "upstream"
	settings, err := proxySettings(cfg)
	if err != nil {
		return []finding{{check, statusFail, err.Error()}}
	}
	transport := proxy.NewTransport(settings)
	defer transport.CloseIdleConnections()
	found := []finding{d.askUpstream(ctx, transport, settings.BaseURL)}
	if settings.ChatGPTBaseURL != nil {
		found = append(found, d.askUpstream(ctx, transport, settings.ChatGPTBaseURL))
	}
	return found
}

func (d *doctor) askUpstream(ctx context.Context, transport http.RoundTripper, base *url.URL) finding {
	const check = "upstream"
	name := redactedURL(base.String())
	target := base.JoinPath("models")
	target.User = nil // Credentials are for the agent's requests.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return finding{check, statusFail, name + " cannot be asked"}
	}
	req.Header.Set("User-Agent", "codex-proxy-doctor/"+buildVersion())
	begun := time.Now()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return finding{check, statusFail, name + ": " + cause(err)}
	}
	defer res.Body.Close()
	took := time.Since(begun)
	d.noteClock(name, res.Header, begun.Add(took/2))
	f := finding{check, statusOK, fmt.Sprintf("%s answers with status %d in %s, asked without a key", name, res.StatusCode, took.Round(time.Millisecond))}
	if res.StatusCode >= http.StatusInternalServerError {
		f.Status = statusWarn
	}
	if res.TLS == nil {
		return f
	}
	f.Detail += ", " + tls.VersionName(res.TLS.Version)
	if expires := res.TLS.PeerCertificates[0].NotAfter; time.Until(expires) < soonExpired {
		f.Status = statusWarn
		f.Detail += ", its certificate expires at " + expires.UTC().Format(time.RFC3339)
	}
	return f
}

// noteClock notes what an answer says the time is.
func (d *doctor) noteClock(of string, header http.Header, here time.Time) {
	// A Date has whole seconds, which have begun.
	if there, err := http.ParseTime(header.Get("Date")); err == nil {
		d.clocks = append(d.clocks, clock{of: of, skew: there.Add(time.Second / 2).Sub(here)})
	}
}

// cause says why there was no answer, without the URL, which may hold credentials.
func cause(err error) string {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}

// redactedURL is a URL without credentials and without a query, which may be one.
func redactedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the configured URL"
	}
	return strings.TrimSuffix((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), "/")
}

// Skews worth a word. Of what a Date shows the first is the least that is sure.
const (
	warnSkew = 3 * time.Second
	failSkew = 5 * time.Minute
)

// checkClock compares the clock with those of the others that were asked.
func (d *doctor) checkClock(context.Context, *config.Config) []finding {
	const check = "clock"
	if len(d.clocks) == 0 {
		return []finding{{check, statusWarn, "nobody who was asked says what time it is"}}
	}
	worst := d.clocks[0]
	for _, c := range d.clocks[1:] {
		if c.skew.Abs() > worst.skew.Abs() {
			worst = c
		}
	}
	side := "ahead of"
	if worst.skew > 0 {
		side = "behind"
	}
	switch skew := worst.skew.Abs(); {
	case skew > failSkew:
		return []finding{{check, statusFail, fmt.Sprintf("%s %s that of %s", skew.Round(time.Second), side, worst.of)}}
	case skew > warnSkew:
		return []finding{{check, statusWarn, fmt.Sprintf("%s %s that of %s", skew.Round(time.Second), side, worst.of)}}
	default:
		return []finding{{check, statusOK, fmt.Sprintf("within %s of that of %s", warnSkew, worst.of)}}
	}
}
