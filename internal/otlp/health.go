package otlp

import (
	"context"
	"log/slog"
	"time"
)

const (
	// repeatAfter is how long a cause that was logged is not logged again.
	repeatAfter = time.Minute
	// maxCauses bounds the causes remembered.
	maxCauses = 32
)

// health logs changes of state: that the export fails, once for each cause, and
// that it works again. A collector that fails every other minute is told of no
// more often. It is owned by whoever holds the turn to send.
type health struct {
	logger *slog.Logger
	logged map[string]time.Time // cause → when it was logged last

	failing  bool      // and it was logged
	since    time.Time // when
	failures int       // tries since
}

func newHealth(logger *slog.Logger, protocol Protocol, host string) *health {
	return &health{
		logger: logger.With(slog.String("protocol", protocol.String()), slog.String("endpoint", host)),
		logged: make(map[string]time.Time),
	}
}

// fails notes a try that failed. text must be scrubbed.
func (h *health) fails(cause, text string, retried bool) {
	if h.failing {
		h.failures++
	}
	if !h.news(cause) {
		return
	}
	if !h.failing {
		h.failing, h.since, h.failures = true, h.logged[cause], 1
	}
	level, outcome := slog.LevelWarn, "kept and retried"
	if !retried {
		level, outcome = slog.LevelError, "dropped"
	}
	h.logger.LogAttrs(context.Background(), level, "otlp export fails",
		slog.String("error", text), slog.String("records", outcome))
}

// works notes a try that succeeded.
func (h *health) works() {
	if !h.failing {
		return
	}
	h.logger.LogAttrs(context.Background(), slog.LevelInfo, "otlp export recovered", slog.Int("failed_tries", h.failures))
	h.failing = false
}

// rejects notes a partial success, or a warning that came with a full one.
func (h *health) rejects(rejected int64, text string) {
	if !h.news("partial success") {
		return
	}
	h.logger.LogAttrs(context.Background(), slog.LevelWarn, "otlp collector rejects records",
		slog.Int64("rejected", rejected), slog.String("error", text))
}

// overflows notes records dropped to make room.
func (h *health) overflows(total int64) {
	if !h.news("queue full") {
		return
	}
	h.logger.LogAttrs(context.Background(), slog.LevelWarn, "otlp queue is full, oldest records dropped",
		slog.Int64("dropped_total", total))
}

// loses notes records lost at the end.
func (h *health) loses(records int) {
	if records > 0 {
		h.logger.LogAttrs(context.Background(), slog.LevelError, "otlp export ended with records undelivered",
			slog.Int("dropped", records))
	}
}

// news reports whether a cause was not logged lately or since the export fails,
// and notes that it is.
func (h *health) news(cause string) bool {
	now := time.Now()
	if last, ok := h.logged[cause]; ok {
		if now.Sub(last) < repeatAfter || h.failing && !last.Before(h.since) {
			return false
		}
	}
	if len(h.logged) >= maxCauses {
		clear(h.logged)
	}
	h.logged[cause] = now
	return true
}
