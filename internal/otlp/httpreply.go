package otlp

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// judge says what an HTTP answer means, by the OTLP specification
// (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response"): 429, 502, 503 and
// 504 are retried, no other status is.
func (s *httpSender) judge(response *http.Response, body []byte) reply {
	r := reply{cause: "http " + strconv.Itoa(response.StatusCode)}
	code := response.StatusCode
	if code >= 200 && code <= 299 {
		r.verdict = verdictAccepted
		r.rejected, r.detail = partialSuccess(response.Header, body)
		return r
	}
	r.detail = statusMessage(response.Header, body)
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		r.verdict = verdictRetry
		r.after = retryAfter(response.Header.Get("Retry-After"), time.Now())
	case http.StatusRequestEntityTooLarge:
		r.verdict = verdictTooLarge
	case http.StatusBadRequest:
		r.verdict = verdictInvalid
		// The Collector's own answer, and that of Go servers in general, to a
		// body past their limit.
		if bytes.Contains(bytes.ToLower(body), []byte("too large")) {
			r.verdict = verdictTooLarge
		}
	default:
		r.verdict = verdictRefused
	}
	return r
}

// partialSuccess reads an ExportLogsServiceResponse. An answer that is none
// tells of no rejection.
func partialSuccess(header http.Header, body []byte) (rejected int64, message string) {
	response := plogotlp.NewExportResponse()
	var err error
	switch mediaType(header) {
	case contentTypeProto:
		err = response.UnmarshalProto(body)
	case contentTypeJSON:
		if !gjson.ValidBytes(body) {
			return 0, ""
		}
		err = response.UnmarshalJSON(body)
	default:
		return 0, ""
	}
	if err != nil {
		return 0, ""
	}
	partial := response.PartialSuccess()
	return partial.RejectedLogRecords(), partial.ErrorMessage()
}

// statusMessage reads the message of a google.rpc.Status. Any other body is not
// shown: nobody knows what is in it.
func statusMessage(header http.Header, body []byte) string {
	switch mediaType(header) {
	case contentTypeProto:
		told := status.New(codes.OK, "").Proto()
		if err := proto.Unmarshal(body, told); err != nil {
			return ""
		}
		return told.GetMessage()
	case contentTypeJSON:
		if !gjson.ValidBytes(body) {
			return ""
		}
		return gjson.GetBytes(body, "message").String()
	default:
		return ""
	}
}

func mediaType(header http.Header) string {
	// A parameter that cannot be parsed does not make the type unknown.
	name, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return name
}

// retryAfter reads a Retry-After header: seconds or a date (RFC 9110, 10.2.3).
// What is neither, or is past, asks for nothing.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(0, seconds), int64(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
