package events

import (
	"fmt"
	"strconv"
)

// Names of the events that describe a WebSocket connection to a model endpoint.
// How a response that comes over it ends is told as codex.sse_event.
const (
	NameWebSocketConnect = "codex.websocket_connect"
	NameWebSocketRequest = "codex.websocket_request"
	NameWebSocketEvent   = "codex.websocket_event"
)

// WebSocketConnect is codex.websocket_connect: one handshake at a model
// endpoint, successful or not. It mirrors
// SessionTelemetry::record_websocket_connect.
type WebSocketConnect struct {
	DurationMS   int64      `attr:"duration_ms" codex:"string" unit:"ms" doc:"Time from the handshake's arrival to its answer." differs:"a string in Codex; Codex measures at the agent and so includes the hop to the proxy"`
	StatusCode   Opt[int64] `attr:"http.response.status_code" doc:"Status of the answer, 101 when the connection was made." absent:"no answer came" differs:"schema codex leaves out the 101, as Codex does"`
	Success      bool       `attr:"success,bool-string" doc:"Whether the connection was made: the string true or false."`
	ErrorMessage string     `attr:"error.message,omitempty" doc:"What failed: http NNN for another status than 101, else the transport's error, without credentials." absent:"the connection was made"`
	CFRay        string     `attr:"cf_ray,omitempty" doc:"The cf-ray header of the answer." absent:"the upstream sent none" differs:"not in Codex"`
	HeaderSent   Opt[bool]  `attr:"auth.header_attached" doc:"Whether the handshake carried credentials." absent:"not known"`
	HeaderName   string     `attr:"auth.header_name,omitempty" doc:"Name of the header with the credentials, never its value." absent:"no credentials"`
	AfterUnauth  Opt[bool]  `attr:"auth.retry_after_unauthorized" doc:"Whether the handshake repeats one that was answered 401, with other credentials." absent:"not known"`
	Endpoint     string     `attr:"endpoint,omitempty" doc:"Path of the endpoint below the base URL, such as /responses." absent:"the request is for no path below it"`
	Reused       Opt[bool]  `attr:"auth.connection_reused" doc:"Always false: a handshake makes a new connection." absent:"not known"`
	Reauth       Opt[bool]  `attr:"auth.reauth" doc:"Always false: what Codex tells when it logs in again, the wire does not show." absent:"not known" differs:"in Codex since 0.167; schema codex leaves it out before"`
	ErrRequestID string     `attr:"auth.request_id,omitempty" doc:"x-request-id of a refused handshake." absent:"the connection was made, or the upstream sent none"`
	ErrCFRay     string     `attr:"auth.cf_ray,omitempty" doc:"cf-ray of a refused handshake." absent:"the connection was made, or the upstream sent none"`
	AuthError    string     `attr:"auth.error,omitempty" doc:"x-openai-authorization-error of a refused handshake." absent:"the upstream sent none"`
	AuthCode     string     `attr:"auth.error_code,omitempty" doc:"error.code inside x-error-json of a refused handshake." absent:"the upstream sent none"`
	*RateLimits
	// ClientGone marks a handshake that the agent itself gave up. Codex tells
	// nothing about those, so neither does the codex schema.
	ClientGone bool
}

// EventName implements Event.
func (*WebSocketConnect) EventName() string { return NameWebSocketConnect }

// Failed implements Event.
func (e *WebSocketConnect) Failed() bool { return !e.Success && !e.ClientGone }

// Summary implements Event: "WebSocket /responses 101 in 86 ms".
func (e *WebSocketConnect) Summary() string {
	outcome := "failed"
	switch {
	case e.StatusCode.Set:
		outcome = strconv.FormatInt(e.StatusCode.Value, 10)
	case e.ClientGone:
		outcome = "canceled"
	case e.Success: // Codex tells a status of refusals only.
		outcome = "connected"
	}
	return fmt.Sprintf("WebSocket %s %s in %d ms", e.Endpoint, outcome, e.DurationMS)
}

// WebSocketRequest is codex.websocket_request: the agent asked for a response
// over a WebSocket connection. It mirrors
// SessionTelemetry::record_websocket_request.
type WebSocketRequest struct {
	DurationMS   int64      `attr:"duration_ms" codex:"string" unit:"ms" doc:"Time from the message's first byte to its last." differs:"a string in Codex, which times its own sending"`
	Success      bool       `attr:"success,bool-string" doc:"Whether the whole message was passed on: the string true or false."`
	ErrorMessage string     `attr:"error.message,omitempty" doc:"Why it was not passed on." absent:"it was"`
	Reused       Opt[bool]  `attr:"auth.connection_reused" doc:"Whether the connection was there before the request: it carried one before, or was made to be warm." absent:"not known" differs:"schema codex says false of a first warm-up for Codex before 0.158, as Codex did"`
	Warmup       Opt[bool]  `attr:"request.warmup" doc:"Whether nothing is to be generated: the request only prepares the next one." absent:"the message is not readable" differs:"not in Codex"`
	RequestBytes Opt[int64] `attr:"http.request.body.size" unit:"By" doc:"Bytes of the message, uncompressed." absent:"not known" differs:"not in Codex"`
	// First marks the first request of a connection.
	First bool
}

// EventName implements Event.
func (*WebSocketRequest) EventName() string { return NameWebSocketRequest }

// Failed implements Event.
func (e *WebSocketRequest) Failed() bool { return !e.Success }

// Summary implements Event.
func (e *WebSocketRequest) Summary() string {
	switch {
	case !e.Success:
		return "WebSocket request failed"
	case e.Warmup.Value:
		return "WebSocket warm-up"
	default:
		return "WebSocket request"
	}
}

// WebSocketEvent is codex.websocket_event: one text message of a response over
// a WebSocket connection, or the end of the connection in the middle of one. It
// mirrors SessionTelemetry::record_websocket_event, which wrote a log record
// until openai/codex#29432.
//
// It is told in schema codex alone, of the releases that told it: see
// Profile.TellsMessages.
type WebSocketEvent struct {
	Kind         string `attr:"event.kind" doc:"The type of the message: response.output_text.delta, response.completed, ...; parse_error for one that is not JSON, unknown for one without a type and for the end of the connection."`
	DurationMS   int64  `attr:"duration_ms" codex:"string" unit:"ms" doc:"Time since the message before, or since the request." differs:"a string in Codex, which times its own waiting"`
	Success      bool   `attr:"success,bool-string" doc:"Whether nothing failed: the string true or false. Error messages and incomplete responses count as successes."`
	ErrorMessage string `attr:"error.message,omitempty" doc:"The error object of a response.failed as JSON, why the message is not JSON, or how the connection ended." absent:"success is true"`
}

// EventName implements Event.
func (*WebSocketEvent) EventName() string { return NameWebSocketEvent }

// Failed implements Event.
func (e *WebSocketEvent) Failed() bool { return !e.Success }

// Summary implements Event: the kind.
func (e *WebSocketEvent) Summary() string {
	if !e.Success {
		return "WebSocket " + e.Kind + ": failed"
	}
	return "WebSocket " + e.Kind
}
