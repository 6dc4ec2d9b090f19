package console

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/codex-proxy/codex-proxy/events"
)

// NameMissed is the event of the feed that tells of records which the reader
// will not get. It passes every filter.
const NameMissed = "codex-proxy.missed"

// Reasons for missed records.
const (
	ReasonSlow    = "slow"    // the reader lagged until the ring let go of records
	ReasonExpired = "expired" // the ring no longer holds all that the reader asked for
	ReasonRestart = "restart" // the reader's last id is not one of this process
	ReasonSize    = "size"    // Follow dropped an event past its limit
)

// Missed is the data of codex-proxy.missed.
type Missed struct {
	// N counts the records; absent when nobody knows, after a restart. With
	// ReasonExpired it counts records whether they match the filter or not.
	N      events.Opt[int64]
	Reason string
}

// String returns one line for people.
func (m Missed) String() string {
	var why string
	switch m.Reason {
	case ReasonSlow:
		why = ": too slow to keep up"
	case ReasonExpired:
		why = ": they happened too long ago"
	case ReasonRestart:
		why = ": the proxy was restarted"
	case ReasonSize:
		why = ": too large"
	}
	switch {
	case !m.N.Set:
		return "may have missed events" + why
	case m.N.Value == 1:
		return "missed 1 event" + why
	default:
		return fmt.Sprintf("missed %d events%s", m.N.Value, why)
	}
}

func (m Missed) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"missed":`...)
	if m.N.Set {
		dst = strconv.AppendInt(dst, m.N.Value, 10)
	} else {
		dst = append(dst, "null"...)
	}
	if m.Reason != "" {
		dst = append(dst, `,"reason":`...)
		dst = appendQuoted(dst, m.Reason)
	}
	return append(dst, '}')
}

func parseMissed(data []byte) (Missed, error) {
	var raw struct {
		Missed *int64 `json:"missed"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Missed{}, fmt.Errorf("read %s: %w", NameMissed, err)
	}
	m := Missed{Reason: raw.Reason}
	if raw.Missed != nil {
		m.N = events.Some(*raw.Missed)
	}
	return m, nil
}

// oneMissed returns the loss of one event.
func oneMissed(reason string) Missed {
	return Missed{N: events.Some[int64](1), Reason: reason}
}
