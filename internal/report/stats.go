package report

import (
	"sync/atomic"

	"github.com/codex-proxy/codex-proxy/events"
)

// reason is the class of what was wrong with an item.
type reason uint8

const (
	reasonSyntax reason = iota
	reasonEventName
	reasonUnknownKey
	reasonDuplicateKey
	reasonMissing
	reasonType
	reasonValue
	reasonSize
	reasonEncoding
	reasonCount
)

// String returns the label of the reason in Stats and metrics.
func (r reason) String() string {
	return [reasonCount]string{
		"syntax", "event_name", "unknown_key", "duplicate_key", "missing", "type", "value", "size", "encoding",
	}[r]
}

// refusedReason is the class of why a whole request was refused.
type refusedReason uint8

const (
	refusedMethod refusedReason = iota
	refusedMediaType
	refusedHeader
	refusedRead
	refusedTimeout
	refusedTooLarge
	refusedTooMany
	refusedEmpty
	refusedSyntax
	refusedItems
	refusedPanic
	refusedCount
)

// String returns the label of the reason in Stats and metrics.
func (r refusedReason) String() string {
	return [refusedCount]string{
		"method", "media_type", "header", "read", "timeout", "too_large", "too_many", "empty", "syntax", "items", PanicReason,
	}[r]
}

// PanicReason is the label of requests refused for a panic.
const PanicReason = "panic"

// Stats is what a Handler did since it was made. Every label is present from
// the start.
type Stats struct {
	// Accepted counts items, by event name.
	Accepted map[string]int64
	// Rejected counts items, each by the first thing wrong with it: syntax,
	// event_name, unknown_key, duplicate_key, missing, type, value, size,
	// encoding.
	Rejected map[string]int64
	// Refused counts requests of which nothing was accepted: method, media_type,
	// header, read, timeout, too_large, too_many, empty, syntax, items. Of those
	// for a panic, which is contained, some items may have been recorded.
	Refused map[string]int64
	// Repaired counts accepted values with half a surrogate pair, which became
	// U+FFFD.
	Repaired int64
}

// reportable are the events that agents report, in the order of the OpenAPI
// document.
func reportable() [4]events.Event {
	return [...]events.Event{
		&events.ConversationStarts{}, &events.UserPrompt{}, &events.ToolDecision{}, &events.ToolResult{},
	}
}

type counters struct {
	accepted [4]atomic.Int64 // in the order of reportable
	rejected [reasonCount]atomic.Int64
	refused  [refusedCount]atomic.Int64
	repaired atomic.Int64
}

func (c *counters) accept(eventName string) {
	for i, event := range reportable() {
		if event.EventName() == eventName {
			c.accepted[i].Add(1)
		}
	}
}

// Stats returns the counts so far.
func (h *Handler) Stats() Stats {
	s := Stats{
		Accepted: make(map[string]int64, len(h.stats.accepted)),
		Rejected: make(map[string]int64, reasonCount),
		Refused:  make(map[string]int64, refusedCount),
		Repaired: h.stats.repaired.Load(),
	}
	for i, event := range reportable() {
		s.Accepted[event.EventName()] = h.stats.accepted[i].Load()
	}
	for r := range reasonCount {
		s.Rejected[r.String()] = h.stats.rejected[r].Load()
	}
	for r := range refusedCount {
		s.Refused[r.String()] = h.stats.refused[r].Load()
	}
	return s
}
