package proxy

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/codex-proxy/codex-proxy/events"
	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// apiRequest fills in what the headers of a request and its response tell, as
// record_api_request of Codex does.
func apiRequest(r *http.Request, endpoint responses.Endpoint, o outcome) *events.APIRequest {
	event := &events.APIRequest{
		Endpoint:   endpoint.Path,
		Method:     r.Method,
		CFRay:      limited(o.header.Get("Cf-Ray")),
		ClientGone: o.gone,
		RateLimits: responses.HeaderLimits(o.header, o.at),
	}
	event.HeaderName = credentialHeader(r.Header)
	event.HeaderSent = events.Some(event.HeaderName != "")
	if o.status != 0 {
		event.StatusCode = events.Some(int64(o.status))
	}
	switch {
	case o.gone:
		event.ErrorMessage = "the agent gave up before the response"
	case o.err != nil:
		event.ErrorMessage = safeError(o.err)
	case o.status < 200 || o.status > 299:
		event.ErrorMessage = "http " + strconv.Itoa(o.status)
		event.ErrRequestID = requestID(o.header)
		event.ErrCFRay = event.CFRay
		event.AuthError = limited(o.header.Get("X-Openai-Authorization-Error"))
		event.AuthCode = errorCode(o.header.Get("X-Error-Json"))
	}
	return event
}

// credentialHeader names the header that carries the credentials.
func credentialHeader(header http.Header) string {
	for _, name := range []string{"authorization", "api-key", "x-api-key"} {
		if header.Get(name) != "" {
			return name
		}
	}
	return ""
}

// requestID is the upstream's id of the request.
func requestID(header http.Header) string {
	if id := header.Get("X-Request-Id"); id != "" {
		return limited(id)
	}
	return limited(header.Get("X-Oai-Request-Id"))
}

// errorCode reads error.code of the base64 JSON in x-error-json.
func errorCode(encoded string) string {
	if len(encoded) > 8<<10 {
		return ""
	}
	document, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return limited(gjson.GetBytes(document, "error.code").String())
}

// limited bounds a header's value as an attribute, which may outlive the header.
func limited(value string) string {
	if len(value) <= 256 {
		return value
	}
	return strings.Clone(value[:256])
}
