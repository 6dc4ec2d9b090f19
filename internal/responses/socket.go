package responses

import (
	"time"

	"github.com/tidwall/gjson"
)

// Message takes an event of the response that came as a WebSocket message, and
// reports whether the response is over with it. Codex tells of a completion, or
// of a failure as soon as it comes, and of nothing else.
func (t *Turn) Message(data, tail []byte, at time.Time) (over bool) {
	kind := gjson.GetBytes(data, "type").Str
	if t.tellsMessages() {
		t.tellMessage(data, tail, at)
	}
	over = t.Event(StreamEvent{Name: []byte(kind), Data: data, Tail: tail, At: at})
	switch kind {
	case "response.failed", "response.incomplete":
		over = true
	case "error":
		if tail == nil {
			t.quotas().message(data, at)
		}
		t.failure = refusalText(data, t.cfg.Scope.Profile)
		over = t.failure != ""
	}
	if over {
		t.End(Ending{By: "upstream", At: at})
	}
	return over
}

// socketText is Codex's text for a connection that broke.
func socketText(end Ending) string {
	if end.Err != nil {
		return "WebSocket protocol error: Connection reset without closing handshake"
	}
	return "websocket closed by server before response.completed"
}
