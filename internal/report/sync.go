package report

import (
	"context"
	"net/http"
	"time"
)

// DefaultSyncTimeout is how long an answer waits for the disk unless Config says
// otherwise. It is below what hooks are given.
const DefaultSyncTimeout = time.Second

// sync waits until what was recorded is on disk, and returns why it is not.
func (h *Handler) sync(r *http.Request) (durable bool, trouble string) {
	if h.config.Sync == nil {
		return false, ""
	}
	// An agent that left is no reason to do without.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.config.SyncTimeout)
	defer cancel()
	durable, trouble = h.config.Sync(ctx)
	if !durable && trouble != "" {
		h.notDurable.Add(1)
	}
	return durable, trouble
}

// NotDurable returns how many answers had to say that what they acknowledge is
// not on disk although it should be.
func (h *Handler) NotDurable() int64 { return h.notDurable.Load() }
