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
	badGateway    mood = "bad gateway"    // 502
	timedOut      mood = "timed out"      // 504
	badRequest    mood = "bad request"    // 400
	unauthorized  mood = "unauthorized"   // 401
	forbidden     mood = "forbidden"      // 403
	lost          mood = "lost"           // 404
	impatient     mood = "impatient"      // 408
	internalError mood = "internal error" // 500
	flapping      mood = "flapping"       // one of the others, for each request
)

func moods() []mood {
	return []mood{
		up, down, slow, hanging, resetting, forgetful, partial, small, throttling, unavailable, badGateway, timedOut,
		badRequest, unauthorized, forbidden, lost, impatient, internalError, flapping,
	}
}

// status returns what a mood answers to everything, if that is all there is to it.
func (m mood) status() int {
	return map[mood]int{
		throttling: http.StatusTooManyRequests, unavailable: http.StatusServiceUnavailable, badGateway: http.StatusBadGateway, timedOut: http.StatusGatewayTimeout,
		badRequest: http.StatusBadRequest, unauthorized: http.StatusUnauthorized, forbidden: http.StatusForbidden, lost: http.StatusNotFound,
		impatient: http.StatusRequestTimeout, internalError: http.StatusInternalServerError,
	}[m]
}

func (c *collector) serve(w http.ResponseWriter, r *http.Request) {
	m, changed := c.answers()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		abort(w) // To return would be to say 200.
		return
	}
	c.look(r.Header, body)
	request := new(collogpb.ExportLogsServiceRequest)
	if proto.Unmarshal(body, request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch m {
	case up, flapping:
		c.take(request, 0)
	case slow:
		select {
		case <-time.After(100 * time.Millisecond):
		case <-changed:
		}
		c.take(request, 0)
	case hanging:
		select {
		case <-r.Context().Done():
		case <-changed:
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	case down, resetting:
		abort(w)
	case forgetful:
		c.take(request, 0)
		abort(w)
	case partial:
		c.take(request, 0)
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
		c.take(request, 0)
	case throttling, unavailable, badGateway, timedOut:
		// These four may succeed later, by the specification of OTLP.
		if m == throttling {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(m.status())
	case badRequest:
		// What it refuses for good it has seen all the same. Such a batch may come again in parts.
		c.take(request, 0)
		w.WriteHeader(m.status())
	default:
		number, _ := r.Context().Value(connection{}).(int64)
		c.take(request, number)
		w.WriteHeader(m.status())
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
