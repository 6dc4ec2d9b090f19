package events

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of the events that describe the traffic itself.
const (
	NameAPIRequest = "codex.api_request"
	NameSSEEvent   = "codex.sse_event"
)

// APIRequest is codex.api_request: one HTTP attempt at a model endpoint,
// successful or not. It mirrors SessionTelemetry::record_api_request.
type APIRequest struct {
	DurationMS   int64      `attr:"duration_ms" codex:"string" unit:"ms" doc:"Time from the request's arrival to the upstream's response headers, or to the failure. The stream is not part of it." differs:"a string in Codex; Codex measures at the agent and so includes the hop to the proxy"`
	StatusCode   Opt[int64] `attr:"http.response.status_code" doc:"Status of the response." absent:"no response came"`
	ErrorMessage string     `attr:"error.message,omitempty" doc:"What failed: http NNN for a status outside 2xx, else the transport's error, without credentials." absent:"the request succeeded" differs:"schema codex leaves it out for HTTP statuses of Codex before 0.64 and adds the body of the response before 0.115, as Codex did"`
	Attempt      int64      `attr:"attempt" doc:"Number of the attempt at the same request, from 0. A retry of a broken stream starts at 0 again."`
	CFRay        string     `attr:"cf_ray,omitempty" doc:"The cf-ray header of the response." absent:"the upstream sent none" differs:"documented by Codex, never sent by it"`
	Endpoint     string     `attr:"endpoint,omitempty" doc:"Path of the endpoint below the base URL, such as /responses." absent:"the request is for no path below it" differs:"in Codex since 0.115; schema codex leaves it out before"`
	HeaderSent   Opt[bool]  `attr:"auth.header_attached" doc:"Whether the request carried credentials." absent:"not known" differs:"in Codex since 0.115; schema codex leaves it out before"`
	HeaderName   string     `attr:"auth.header_name,omitempty" doc:"Name of the header with the credentials, never its value." absent:"no credentials" differs:"in Codex since 0.115; schema codex leaves it out before"`
	AfterUnauth  Opt[bool]  `attr:"auth.retry_after_unauthorized" doc:"Whether the request repeats one that was answered 401, with other credentials." absent:"not known" differs:"in Codex since 0.115; schema codex leaves it out before"`
	ErrRequestID string     `attr:"auth.request_id,omitempty" doc:"x-request-id of a failed response." absent:"the request succeeded, or the upstream sent none" differs:"in Codex since 0.115; schema codex leaves it out before"`
	ErrCFRay     string     `attr:"auth.cf_ray,omitempty" doc:"cf-ray of a failed response." absent:"the request succeeded, or the upstream sent none" differs:"in Codex since 0.115; schema codex leaves it out before"`
	AuthError    string     `attr:"auth.error,omitempty" doc:"x-openai-authorization-error of a failed response." absent:"the upstream sent none" differs:"in Codex since 0.115; schema codex leaves it out before"`
	AuthCode     string     `attr:"auth.error_code,omitempty" doc:"error.code inside x-error-json of a failed response." absent:"the upstream sent none" differs:"in Codex since 0.115; schema codex leaves it out before"`
	Method       string     `attr:"http.request.method,omitempty" doc:"HTTP method." absent:"not known" differs:"not in Codex"`
	RequestBytes Opt[int64] `attr:"http.request.body.size" unit:"By" doc:"Bytes of the request's body as it was sent, up to now." absent:"nothing was read" differs:"not in Codex"`
	*RateLimits
	// Refusal is what some releases of Codex tell as error.message of a status
	// outside 2xx: the status and the whole body. Empty if it was not read.
	Refusal string
	// ClientGone marks a request that the agent itself gave up. Codex tells
	// nothing about those, so neither does the codex schema.
	ClientGone bool
}

// EventName implements Event.
func (*APIRequest) EventName() string { return NameAPIRequest }

// Failed implements Event.
func (e *APIRequest) Failed() bool { return e.ErrorMessage != "" && !e.ClientGone }

// Summary implements Event: "POST /responses 200 in 412 ms".
func (e *APIRequest) Summary() string {
	outcome := "failed"
	switch {
	case e.StatusCode.Set:
		outcome = strconv.FormatInt(e.StatusCode.Value, 10)
	case e.ClientGone:
		outcome = "canceled"
	}
	// An agent that reports its requests tells no method, and of old no endpoint.
	return strings.TrimLeft(fmt.Sprintf("%s %s %s in %d ms", e.Method, e.Endpoint, outcome, e.DurationMS), " ")
}

// Usage is the usage object of a response, with the upstream's numbers as they
// are: cached tokens are part of the input, reasoning tokens of the output.
type Usage struct {
	Input      int64      `attr:"input_token_count" codex:"string" unit:"{token}" doc:"usage.input_tokens." absent:"the stream ended without usage" differs:"a string in Codex"`
	Output     int64      `attr:"output_token_count" codex:"string" unit:"{token}" doc:"usage.output_tokens." absent:"the stream ended without usage" differs:"a string in Codex"`
	Cached     Opt[int64] `attr:"cached_token_count" unit:"{token}" doc:"usage.input_tokens_details.cached_tokens, part of the input." absent:"the upstream does not say" differs:"schema codex writes 0 since 0.64, as Codex does"`
	Reasoning  Opt[int64] `attr:"reasoning_token_count" unit:"{token}" doc:"usage.output_tokens_details.reasoning_tokens, part of the output." absent:"the upstream does not say" differs:"schema codex writes 0 since 0.64, as Codex does"`
	CacheWrite Opt[int64] `attr:"cache_write_token_count" unit:"{token}" doc:"usage.input_tokens_details.cache_write_tokens." absent:"the upstream does not say" differs:"in Codex since 0.145; schema codex leaves it out before and writes 0 from then on, as Codex does"`
	Total      int64      `attr:"tool_token_count" codex:"string" unit:"{token}" doc:"usage.total_tokens; the name is Codex's." absent:"the stream ended without usage" differs:"a string in Codex"`
}

// SSEEvent is codex.sse_event: one event of a response stream, or the failure
// that ended it. It mirrors SessionTelemetry::log_sse_event and its siblings.
//
// Where Codex tells of a completion twice, once with the duration and once with
// the tokens, there is one record here; the codex schema doubles it again.
type SSEEvent struct {
	Kind         Opt[string] `attr:"event.kind" doc:"The SSE event field: response.output_text.delta, response.completed, ...; message when the event has none. A stream that ended without a completion tells so under response.completed, as Codex does." absent:"the stream broke: there is no event to name"`
	DurationMS   Opt[int64]  `attr:"duration_ms" codex:"string" unit:"ms" doc:"Time since the event before, or since the response's headers." absent:"the record tells how a stream ended" differs:"a string in Codex, which times its own poll"`
	ErrorMessage string      `attr:"error.message,omitempty" doc:"What went wrong, in Codex's words." absent:"nothing did"`
	*Usage
	TTFTMS          Opt[int64] `attr:"ttft_ms" unit:"ms" doc:"Time from the response's headers to the first response.output_item.added." absent:"not a completion, or no such event" differs:"in Codex since 0.143; schema codex leaves it out before"`
	ServiceTier     string     `attr:"service_tier,omitempty" doc:"service_tier asked for; the response may name another." absent:"not a completion, or not asked for" differs:"in Codex since 0.145; schema codex leaves it out before"`
	ReasoningEffort string     `attr:"model_reasoning_effort,omitempty" doc:"reasoning.effort asked for." absent:"not a completion, or not asked for" differs:"in Codex since 0.145; schema codex leaves it out before"`
	EndedBy         string     `attr:"stream.ended_by,omitempty" doc:"Who ended the stream: completed, upstream, client, idle, or proxy when it shut down and cut the stream." absent:"the stream goes on" differs:"not in Codex"`
	StreamEvents    Opt[int64] `attr:"stream.events" unit:"{event}" doc:"Events of the stream so far, this one included, whether exported or thinned out." absent:"not a completion or an end" differs:"not in Codex"`
	StreamDeltas    Opt[int64] `attr:"stream.deltas" unit:"{event}" doc:"Events of the stream so far whose kind ends in .delta." absent:"not a completion or an end" differs:"not in Codex"`
	StreamBytes     Opt[int64] `attr:"stream.bytes" unit:"By" doc:"Bytes of the response's body passed on." absent:"the stream goes on, or was completed and may send more" differs:"not in Codex"`
	*RateLimits
	// ClientGone marks the end of a stream that the agent itself gave up. Codex
	// tells nothing about those, so neither does the codex schema.
	ClientGone bool
}

// EventName implements Event.
func (*SSEEvent) EventName() string { return NameSSEEvent }

// Failed implements Event.
func (e *SSEEvent) Failed() bool { return e.ErrorMessage != "" && !e.ClientGone }

// Summary implements Event: the kind and, on a completion, the tokens.
func (e *SSEEvent) Summary() string {
	kind := e.Kind.Value
	switch {
	case e.Usage != nil && e.ErrorMessage == "":
		return fmt.Sprintf("%s: %d tokens in, %d out", kind, e.Input, e.Output)
	case e.ClientGone:
		return "stream ended by the client"
	case e.EndedBy != "" && e.EndedBy != "completed" && e.ErrorMessage != "":
		return "stream ended by the " + e.EndedBy + " before completion"
	case e.ErrorMessage != "" && !e.Kind.Set:
		return "stream broke"
	case e.ErrorMessage != "":
		return kind + ": failed"
	default:
		return kind
	}
}
