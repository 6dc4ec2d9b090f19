package report

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Codes of google.rpc.Status (google/rpc/code.proto) that the endpoint answers
// with.
const (
	codeInvalidArgument  = 3
	codeDeadlineExceeded = 4
	codeResourceExceeded = 8
	codeUnimplemented    = 12
	codeInternal         = 13
)

// logAnswer is an answer of the logs endpoint: an ExportLogsServiceResponse, or a
// google.rpc.Status when the request was refused.
type logAnswer struct {
	status   int
	rejected int64
	message  string // of the rejected records and of warnings, or of the refusal
}

// explain says how many records were rejected, by reason.
func (a *logAnswer) explain(counts [problemCount]int64) {
	var reasons []string
	for p := problemSize; p < problemCount; p++ {
		if counts[p] > 0 {
			a.rejected += counts[p]
			reasons = append(reasons, fmt.Sprintf("%s: %d", p, counts[p]))
		}
	}
	if a.rejected > 0 {
		a.message = "records rejected for " + strings.Join(reasons, ", ")
	}
}

// warn adds a warning. OTLP has it as a partial_success that rejects nothing.
func (a *logAnswer) warn(text string) {
	if a.message != "" {
		text = a.message + "; " + text
	}
	a.message = text
}

// write answers in the encoding of the request, JSON where it has none.
func (a *logAnswer) write(w http.ResponseWriter, encoding logEncoding) {
	contentType, body := "application/json", a.json()
	if encoding == logProto {
		contentType, body = "application/x-protobuf", a.proto()
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status)
	// An agent that left does not need its answer.
	_, _ = w.Write(body)
}

func (a *logAnswer) proto() []byte {
	if a.status != http.StatusOK {
		status := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), a.code())
		return protowire.AppendString(protowire.AppendTag(status, 2, protowire.BytesType), a.message)
	}
	if a.message == "" {
		return nil
	}
	var partial []byte
	if a.rejected > 0 {
		partial = protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(a.rejected))
	}
	partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), a.message)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial)
}

func (a *logAnswer) json() []byte {
	var object map[string]any
	switch {
	case a.status != http.StatusOK:
		object = map[string]any{"code": a.code(), "message": a.message}
	case a.message != "":
		object = map[string]any{"partialSuccess": map[string]any{
			"rejectedLogRecords": strconv.FormatInt(a.rejected, 10), "errorMessage": a.message,
		}}
	default:
		object = map[string]any{}
	}
	body, err := json.Marshal(object)
	if err != nil {
		return []byte("{}") // Not reached: these always encode.
	}
	return append(body, '\n')
}

// code returns the google.rpc.Code of a refusal.
func (a *logAnswer) code() uint64 {
	switch a.status {
	case http.StatusRequestEntityTooLarge:
		return codeResourceExceeded
	case http.StatusRequestTimeout:
		return codeDeadlineExceeded
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return codeUnimplemented
	case http.StatusInternalServerError:
		return codeInternal
	default:
		return codeInvalidArgument
	}
}
