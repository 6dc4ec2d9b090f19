package responses

import (
	"time"

	"github.com/codex-proxy/codex-proxy/events"
)

// family is one limit with its two windows.
type family struct {
	id, name string
	windows  [2]window
}

// window is how much of a limit is used in some time.
type window struct {
	used            events.Opt[float64]
	minutes, resets events.Opt[int64]
}

// windowNames are the names of a family's windows.
var windowNames = [2]string{"primary", "secondary"}

// pairs returns what is told of a limit that has no fields.
func (f *family) pairs() []events.Pair {
	var pairs []events.Pair
	prefix := "codex.rate_limit." + f.id + "."
	for i, name := range windowNames {
		w := f.windows[i]
		if !w.tells() {
			continue
		}
		key := prefix + name + "."
		pairs = append(pairs, events.Pair{Key: key + "used_percent", Value: events.Value{Kind: events.ValueDouble, Double: w.used.Value}})
		if w.minutes.Set {
			pairs = append(pairs, events.Pair{Key: key + "window_minutes", Value: events.Value{Kind: events.ValueInt, Int: w.minutes.Value}})
		}
		if w.resets.Set {
			pairs = append(pairs, events.Pair{Key: key + "resets_at", Value: events.Value{Kind: events.ValueInt, Int: w.resets.Value}})
		}
	}
	if len(pairs) > 0 && f.name != "" {
		pairs = append(pairs, events.TextPair(prefix+"name", f.name))
	}
	return pairs
}

// set takes a value of a window, by the name that it has in headers.
func (w *window) set(field, value string, at time.Time) {
	switch field {
	case "used-percent":
		w.used = percent(value)
	case "window-minutes":
		w.minutes = number(value)
	case "reset-at":
		if resets := number(value); resets.Set {
			w.resets = resets
		}
	default: // reset-after-seconds, which comes first
		if after := number(value); after.Set {
			w.resets = events.Some(at.Unix() + after.Value)
		}
	}
}

// tells reports whether there is anything in a window.
func (w window) tells() bool {
	return w.used.Set && (w.used.Value != 0 || w.minutes.Value != 0 || w.resets.Set)
}
