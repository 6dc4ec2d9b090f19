package console

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// maxConversations bounds the conversations of one filter.
const maxConversations = 32

// filter says which records a reader wants. The zero filter wants all.
type filter struct {
	conversations []string
	names         []string
}

// parseFilter reads the parameters conversation (repeatable) and event
// (repeatable, names separated by commas, with or without the prefix codex.).
func parseFilter(query url.Values) (filter, error) {
	f := filter{conversations: query["conversation"]}
	if len(f.conversations) > maxConversations {
		return filter{}, fmt.Errorf("read filter: %d conversations, at most %d are possible", len(f.conversations), maxConversations)
	}
	for _, list := range query["event"] {
		for name := range strings.SplitSeq(list, ",") {
			known, ok := eventName(strings.TrimSpace(name))
			if !ok {
				return filter{}, fmt.Errorf("read filter: unknown event %q, known are %s", name, strings.Join(events.Names(), ", "))
			}
			if !slices.Contains(f.names, known) {
				f.names = append(f.names, known)
			}
		}
	}
	return f, nil
}

func (f filter) matches(r events.Record) bool {
	return (len(f.names) == 0 || slices.Contains(f.names, r.Event.EventName())) &&
		(len(f.conversations) == 0 || slices.Contains(f.conversations, r.Scope.ConversationID))
}

// eventName returns the full name of an event of the catalogue.
func eventName(name string) (full string, ok bool) {
	if !strings.HasPrefix(name, "codex.") {
		name = "codex." + name
	}
	return name, slices.Contains(events.Names(), name)
}
