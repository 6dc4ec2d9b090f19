package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"

	"github.com/codex-proxy/codex-proxy/internal/console"
)

// historyFilter is what is asked for.
type historyFilter struct {
	since, until          time.Time
	conversations, events []string
}

// apply removes what is not asked for.
func (f *historyFilter) apply(request *collogpb.ExportLogsServiceRequest) {
	request.ResourceLogs = slices.DeleteFunc(request.ResourceLogs, func(resource *resourceLogs) bool {
		resource.ScopeLogs = slices.DeleteFunc(resource.ScopeLogs, func(scope *scopeLogs) bool {
			scope.LogRecords = slices.DeleteFunc(scope.LogRecords, func(r *logRecord) bool { return !f.wants(r) })
			return len(scope.GetLogRecords()) == 0
		})
		return len(resource.GetScopeLogs()) == 0
	})
}

// wants reports whether a record is asked for.
func (f *historyFilter) wants(r *logRecord) bool {
	at := console.RecordTime(r)
	if at.Unix() <= 0 {
		at = f.since // Written in that time, for all that is known.
	}
	if !f.since.IsZero() && at.Before(f.since) || !f.until.IsZero() && !at.Before(f.until) {
		return false
	}
	name, conversation := r.GetEventName(), ""
	for _, kv := range r.GetAttributes() {
		switch kv.GetKey() {
		case "event.name":
			name = kv.GetValue().GetStringValue()
		case "conversation.id":
			conversation = kv.GetValue().GetStringValue()
		}
	}
	return (len(f.events) == 0 || slices.Contains(f.events, name)) &&
		(len(f.conversations) == 0 || slices.Contains(f.conversations, conversation))
}

// filter returns what the flags ask for.
func (x *export) filter(now time.Time) (*historyFilter, error) {
	f := &historyFilter{conversations: x.conversations}
	for _, name := range x.events {
		if !strings.Contains(name, ".") {
			name = "codex." + name
		}
		f.events = append(f.events, name)
	}
	var err error
	if f.since, err = moment(x.since, now); err != nil {
		return nil, fmt.Errorf("export: --since: %w", err)
	}
	if f.until, err = moment(x.until, now); err != nil {
		return nil, fmt.Errorf("export: --until: %w", err)
	}
	return f, nil
}

// moment reads a time as people say it: how long ago, a date here, or RFC 3339. Nothing is the zero time.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 1e5 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("want 90m, 7d, 2006-01-02 or RFC 3339; got %s", strconv.QuoteToASCII(text))
}
