package responses

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// Charge is a response that has come to its end, with what it says of itself.
type Charge struct {
	ResponseID string
	// Foreground reports that it was made while the request for it waited, and not
	// in the background.
	Foreground bool
	Created    time.Time // zero if it does not say
	At         time.Time // when it was seen to be at its end
}

// verdict is whether the tokens of a response are told.
type verdict uint8

const (
	undecided verdict = iota
	toldHere
	toldElsewhere
)

// charge returns the usage of a response if it is to be told here.
func (t *Turn) charge(response gjson.Result, usage *events.Usage, at time.Time) *events.Usage {
	if !t.charges(response, at) {
		return nil
	}
	return usage
}

// charges reports whether the tokens of a response, or that it failed, are to be
// told here.
func (t *Turn) charges(response gjson.Result, at time.Time) bool {
	if t.cfg.Items == nil || t.cfg.Endpoint.Chat {
		return true
	}
	if t.charged != undecided {
		return t.charged == toldHere
	}
	c := Charge{
		ResponseID: t.cfg.Scope.ResponseID,
		Foreground: !t.cfg.Request.Background && (t.cfg.Endpoint.Generates || response.Get("background").Type == gjson.False),
		At:         at,
	}
	if seconds := response.Get("created_at").Int(); seconds > 0 {
		c.Created = time.Unix(seconds, 0)
	}
	t.charged = toldElsewhere
	if t.cfg.Items.Charge(c) {
		t.charged = toldHere
		t.apart = !c.Foreground
	}
	return t.charged == toldHere
}

// id returns the id of the next record. The tokens of a background response may
// be told by one process and read again through another, which knows nothing of
// it: they have the same id there.
func (t *Turn) id(event events.Event) string {
	if sse, ok := event.(*events.SSEEvent); ok && sse.Usage != nil && t.apart && t.cfg.Scope.ResponseID != "" {
		return events.TokensID(t.cfg.Scope.ResponseID)
	}
	return t.supply.id(t.cfg.ExchangeID, t.seq)
}
