package responses

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
)

// Kinds of codex.websocket_event for what has no type.
const (
	unknownKind    = "unknown"
	parseErrorKind = "parse_error"
)

// tellsMessages reports whether each message of the response is told of.
func (t *Turn) tellsMessages() bool {
	return t.cfg.Messages && t.cfg.WebSocket && t.cfg.Scope.Profile.TellsMessages()
}

// tellMessage tells of a text message that came, whatever it says. It mirrors
// record_websocket_event of Codex. One that is no UTF-8 is no message for Codex.
func (t *Turn) tellMessage(data, tail []byte, at time.Time) {
	if tail == nil && !utf8.Valid(data) {
		return
	}
	if at.Before(t.cfg.Start) {
		at = t.cfg.Start // Codex reads what came before its request when it has sent that.
	}
	event := &events.WebSocketEvent{Kind: unknownKind, Success: true}
	if tail == nil {
		event.ErrorMessage = serdeError(data, t.numbers)
	}
	message := gjson.ParseBytes(data)
	typ := lastMember(message, "type")
	switch {
	case event.ErrorMessage != "":
		event.Kind, event.Success = parseErrorKind, false
	case typ.Type != gjson.String:
	case typ.Str == "response.created":
		event.Kind = typ.Str
		t.name(message.Get("response.id").String())
	case typ.Str == "response.failed":
		event.Kind, event.Success = typ.Str, false
		event.ErrorMessage = t.failedMessage(message, tail != nil)
	default:
		event.Kind = typ.Str
	}
	delta := strings.HasSuffix(event.Kind, ".delta")
	if t.cfg.Detail == DetailLifecycle && delta || t.cfg.Detail == DetailCompleted && event.Success {
		t.waited = at
		return
	}
	t.messageEvent(event, at)
}

// failedMessage is what Codex says of a response.failed as it comes. That of a
// message which was cut is not known.
func (t *Turn) failedMessage(message gjson.Result, cut bool) string {
	failure := lastMember(lastMember(message, "response"), "error")
	if !failure.Exists() || cut {
		return "response.failed event received"
	}
	return compact([]byte(failure.Raw), t.numbers)
}

// lastMember returns the member of an object, of several with the name the last
// one, as serde_json keeps them.
func lastMember(object gjson.Result, name string) gjson.Result {
	var member gjson.Result
	if object.IsObject() {
		object.ForEach(func(key, value gjson.Result) bool {
			if key.Str == name {
				member = value
			}
			return true
		})
	}
	return member
}

// messageEvent records what was waited for since the message before.
func (t *Turn) messageEvent(event *events.WebSocketEvent, at time.Time) {
	event.DurationMS = events.Milliseconds(at.Sub(t.waited))
	t.waited = at
	t.seq++
	t.cfg.Recorder.Record(events.Record{Event: event, Scope: t.cfg.Scope, Time: at, ID: t.id(event)})
}
