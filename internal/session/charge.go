package session

import "github.com/codex-proxy/codex-proxy/internal/responses"

// Charge implements responses.Items. A request that makes a response tells its
// tokens, unless another that read it was faster. A request that reads one tells
// them if nobody has. Of one that is not known, because it was made before the
// proxy was started, a response in the background is told, which may have gone on
// since then; unless it is too old for that. Any other was told with the request
// that made it.
func (e *Exchange) Charge(c responses.Charge) bool {
	if !e.makes && !e.reads {
		return true
	}
	t := e.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bills.expire(c.At, t.cfg.MaxAge)
	known := t.bills.find(c.ResponseID)
	if e.makes {
		if known == nil {
			return true
		}
		told := known.told == reader
		if !told {
			t.bills.put(c.ResponseID, maker, c.At, t.cfg.MaxResponses)
		}
		return !told
	}
	switch {
	case c.ResponseID == "":
		return false
	case known != nil:
		told := known.told != nobody
		t.bills.put(c.ResponseID, max(known.told, reader), c.At, t.cfg.MaxResponses)
		return !told
	case !c.Foreground && (c.Created.IsZero() || c.At.Sub(c.Created) <= t.cfg.MaxAge):
		t.bills.put(c.ResponseID, reader, c.At, t.cfg.MaxResponses)
		return true
	default:
		return false
	}
}

// open remembers a response that the exchange makes, and that can be read again.
// One that was read meanwhile was told: whoever reads a stream may be faster than
// whoever watches it. The caller holds the tracker's mu.
func (e *Exchange) open(responseID string) {
	t := e.tracker
	t.bills.expire(e.at, t.cfg.MaxAge)
	if known := t.bills.find(responseID); known != nil && known.told == reader && known.used.After(e.at) {
		return
	}
	t.bills.put(responseID, nobody, e.at, t.cfg.MaxResponses)
}
