package report

import (
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
)

// LogsPath is where [Handler.Logs] is meant to be mounted.
const LogsPath = "/codex-proxy/v1/logs"

// logEncoding is how a request of the logs endpoint is encoded.
type logEncoding uint8

const (
	logJSON logEncoding = iota
	logProto
)

// Logs returns the handler of LogsPath: OTLP/HTTP logs, protobuf or JSON, as
// Codex's own exporter sends them (opentelemetry.io/docs/specs/otlp). What the
// catalogue has becomes an event of it, what the proxy has seen itself is left
// out, and everything else passes on as it is.
func (h *Handler) Logs() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		encoding, err := logEncodingOf(r.Header)
		answer := logAnswer{status: http.StatusOK}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			err = refuse(http.StatusMethodNotAllowed, refusedMethod, "want POST")
		}
		if err == nil {
			err = contained(func() (err error) {
				answer, err = h.takeLogs(w, r, encoding)
				return err
			})
		}
		if refusal, ok := errors.AsType[*refusal](err); ok {
			answer.status, answer.message = refusal.status, refusal.Error()
			h.logs.refused[refusal.reason].Add(1)
		}
		h.logLogs(r, answer)
		answer.write(w, encoding)
	})
}

// logEncodingOf reads Content-Type and Content-Encoding.
func logEncodingOf(header http.Header) (logEncoding, error) {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	encoding := logJSON
	switch {
	case err == nil && mediaType == "application/x-protobuf":
		encoding = logProto
	case err == nil && mediaType == "application/json":
	default:
		return encoding, refuse(
			http.StatusUnsupportedMediaType, refusedMediaType, "want Content-Type application/x-protobuf or application/json",
		)
	}
	switch strings.ToLower(header.Get("Content-Encoding")) {
	case "", "identity", "gzip", "x-gzip":
		return encoding, nil
	default:
		return encoding, refuse(http.StatusUnsupportedMediaType, refusedMediaType, "want Content-Encoding gzip or none")
	}
}

// takeLogs reads the whole request before it records anything of it.
func (h *Handler) takeLogs(w http.ResponseWriter, r *http.Request, encoding logEncoding) (logAnswer, error) {
	answer := logAnswer{status: http.StatusOK}
	body, err := h.readBody(w, r)
	if err != nil {
		return answer, err
	}
	reader := h.newLogReader()
	if encoding == logProto {
		err = reader.readProto(body)
	} else {
		err = reader.readJSON(body)
	}
	if err != nil {
		return answer, err
	}
	var rejected [problemCount]int64
	now := h.config.Now()
	known := h.seesAny(reader.records)
	for _, read := range reader.records {
		if read.problem != 0 {
			rejected[read.problem]++
			h.logs.rejected[read.problem].Add(1)
			continue
		}
		told := h.interpret(read, known, now)
		h.logs.kinds[told.as].Add(1)
		if told.as != logTraffic {
			h.config.LogsRecorder.Record(told.record)
		}
	}
	h.logs.repaired.Add(reader.repaired)
	answer.explain(rejected)
	if durable, trouble := h.sync(r); !durable && trouble != "" {
		answer.warn("taken, but kept in memory only: " + trouble)
	}
	return answer, nil
}

// logLogs says once that an agent exports what is not understood; the counters
// say how often.
func (h *Handler) logLogs(r *http.Request, answer logAnswer) {
	level := slog.LevelDebug
	bad := answer.status != http.StatusOK || answer.rejected > 0
	if bad && h.logsWarned.CompareAndSwap(false, true) {
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(
		r.Context(), level, "exported logs answered",
		slog.Int("status", answer.status),
		slog.Int64("rejected", answer.rejected),
		slog.String("message", answer.message),
	)
}
