package chaos_test

import (
	"io"
	"net"
	"net/http"
	"time"

	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"
)

// mood is how a collector answers.
type mood string

const (
	up            mood = "up"
	down          mood = "down" // refuses connections
	slow          mood = "slow"
	hanging       mood = "hanging"
	resetting     mood = "resetting"      // connections, before it takes anything
	forgetful     mood = "forgetful"      // takes everything, and resets the connection instead of saying so
	partial       mood = "partial"        // leaves out one record of each request
	small         mood = "small"          // 413 for more than a few records
	throttling    mood = "throttling"     // 429 with Retry-After
	unavailable   mood = "unavailable"    // 503
	badRequest    mood = "bad request"    // 400
	unauthorized  mood = "unauthorized"   // 401
	internalError mood = "internal error" // 500
	flapping      mood = "flapping"       // one of the others, for each request
)

func moods() []mood {
	return []mood{
		up, down, slow, hanging, resetting, forgetful, partial, small, throttling, unavailable, badRequest, unauthorized, internalError, flapping,
	}
}

func (c *collector) serve(w http.ResponseWriter, r *http.Request) {
	m, changed := c.answers()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		abort(w) // To return would be to say 200.
		return
	}
	request := new(collogpb.ExportLogsServiceRequest)
	if proto.Unmarshal(body, request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch m {
	case up, flapping:
		c.take(request)
	case slow:
		select {
		case <-time.After(100 * time.Millisecond):
		case <-changed:
		}
		c.take(request)
	case hanging:
		select {
		case <-r.Context().Done():
		case <-changed:
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	case down, resetting:
		abort(w)
	case forgetful:
		c.take(request)
		abort(w)
	case partial:
		c.take(request)
		answer, err := proto.Marshal(&collogpb.ExportLogsServiceResponse{PartialSuccess: &collogpb.ExportLogsPartialSuccess{RejectedLogRecords: 1}})
		if err == nil {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(answer)
		}
	case small:
		if count(request) > 20 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		c.take(request)
	case throttling:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case unavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		// What it refuses for good it has seen all the same.
		c.take(request)
		w.WriteHeader(map[mood]int{badRequest: http.StatusBadRequest, unauthorized: http.StatusUnauthorized, internalError: http.StatusInternalServerError}[m])
	}
}

// abort resets the connection.
func abort(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
