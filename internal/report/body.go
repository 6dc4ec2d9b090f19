package report

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxKeyBytes bounds an Idempotency-Key.
const maxKeyBytes = 255

// format is how items are laid out in a body.
type format uint8

const (
	formatSniff format = iota
	formatJSON
	formatLines
)

// formatOf reads Content-Type and Content-Encoding. Types that a web page can
// send without asking (forms, text/plain) are refused with the rest.
func formatOf(header http.Header) (format, error) {
	switch strings.ToLower(header.Get("Content-Encoding")) {
	case "", "identity", "gzip", "x-gzip":
	default:
		return 0, refuse(http.StatusUnsupportedMediaType, refusedMediaType, "want Content-Encoding gzip or none")
	}
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return formatSniff, nil
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	if charset := params["charset"]; err == nil && (charset == "" || strings.EqualFold(charset, "utf-8")) {
		switch mediaType {
		case "application/json":
			return formatJSON, nil
		case "application/x-ndjson", "application/jsonl":
			return formatLines, nil
		}
	}
	return 0, refuse(
		http.StatusUnsupportedMediaType, refusedMediaType,
		"want Content-Type application/json, application/x-ndjson or application/jsonl, in UTF-8 (with curl, use --json)",
	)
}

// idempotencyKey returns the Idempotency-Key of a request, "" for none.
func idempotencyKey(header http.Header) (string, error) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || len(values[0]) > maxKeyBytes || !printable(values[0]) {
		return "", refuse(
			http.StatusBadRequest, refusedHeader,
			fmt.Sprintf("want one Idempotency-Key of 1 to %d printable ASCII characters without spaces", maxKeyBytes),
		)
	}
	return values[0], nil
}

// printable reports whether s is not empty and all visible ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// readBody returns the body, inflated. It is read to its end before anything is
// recorded, so a body that is refused for its size leaves no trace.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := h.config.MaxBodyBytes
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	// A server that cannot set deadlines has its own.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.config.ReadTimeout))

	var reader io.Reader = http.MaxBytesReader(w, r.Body, limit)
	if strings.HasSuffix(strings.ToLower(r.Header.Get("Content-Encoding")), "gzip") {
		inflater, err := gzip.NewReader(reader)
		if errors.Is(err, io.EOF) {
			return nil, emptyBody()
		}
		if err != nil {
			return nil, readRefusal(err, limit)
		}
		reader = io.LimitReader(inflater, limit+1)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return nil, readRefusal(err, limit)
	}
	if int64(len(body)) > limit {
		return nil, tooLarge(limit)
	}
	// For a body that did not come the deadline stays: the server waits for the rest of it before it answers.
	_ = control.SetReadDeadline(time.Time{})
	return body, nil
}

func tooLarge(limit int64) error {
	return refuse(
		http.StatusRequestEntityTooLarge, refusedTooLarge,
		fmt.Sprintf("want a body of at most %d bytes; nothing of this one was recorded", limit),
	)
}

func readRefusal(err error, limit int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return refuse(http.StatusRequestTimeout, refusedTimeout, "the body took too long to arrive")
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return refuse(http.StatusBadRequest, refusedRead, "want a gzip body, as Content-Encoding says")
	}
	return refuse(http.StatusBadRequest, refusedRead, "the body could not be read to its end")
}
