package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// stream makes the events of one response.
type stream struct {
	out   func(frames []byte) error
	sum   hash.Hash
	id    string
	model string
	plain bool // the digest is that of the frames' data alone

	buf  []byte // frames not yet written
	text []byte // output text so far
	seq  int64  // next sequence number
}

// newStream returns a stream that gives each write to out and its digest of them all to sum.
func newStream(id, model string, out func([]byte) error) *stream {
	return &stream{out: out, sum: sha256.New(), id: id, model: model}
}

func (s *stream) send(ctx context.Context, spec Spec) error {
	s.event("response.created", `,"response":`, s.response("in_progress", "[]", "null"))
	if err := s.write(); err != nil {
		return err
	}
	pace := newPacer(spec.Delay)
	defer pace.stop()
	for i := range spec.Events {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		if spec.Truncate && i == spec.Events/2 {
			panic(http.ErrAbortHandler)
		}
		s.delta(spec.Size)
		if (i+1)%spec.Batch == 0 || i == spec.Events-1 {
			if err := s.write(); err != nil {
				return err
			}
		}
	}
	item := fmt.Sprintf(`{"id":%q,"type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":%q}]}`, "msg_"+s.id[12:], s.text)
	s.event("response.output_item.done", `,"output_index":0,"item":`, item)

	output := "[" + item + "]"
	if spec.Big > 0 {
		output = fmt.Sprintf(`[{"id":%q,"type":"reasoning","summary":[],"encrypted_content":%q},%s]`, "rs_"+s.id[12:], strings.Repeat("A", spec.Big), item)
	}
	usage := fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`,
		12000, 10240, spec.Events+64, 64, 12000+spec.Events+64)
	s.event("response.completed", `,"response":`, s.response("completed", output, usage))
	return s.write()
}

// response is the response object of the first and the last event.
func (s *stream) response(status, output, usage string) string {
	return fmt.Sprintf(`{"id":"resp_%s","object":"response","created_at":%d,"status":%q,"background":false,"error":null,"incomplete_details":null,"instructions":null,"model":%q,"output":%s,"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":1.0,"tool_choice":"auto","tools":[],"usage":%s,"metadata":{}}`,
		s.id, time.Now().Unix(), status, s.model, output, usage)
}

// event appends one frame whose JSON is type, sequence number and rest.
func (s *stream) event(kind string, rest ...string) {
	s.buf = fmt.Appendf(s.buf, "event: %s\ndata: {\"type\":%q,\"sequence_number\":%d", kind, kind, s.seq)
	for _, part := range rest {
		s.buf = append(s.buf, part...)
	}
	s.buf = append(s.buf, "}\n\n"...)
	s.seq++
}

const (
	deltaHead = "event: response.output_text.delta\ndata: "
	deltaTail = "\"}\n\n"
	padding   = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fG"
	// maxTextBytes bounds the text that the end of a stream repeats.
	maxTextBytes = 64 << 10
)

// delta appends one delta frame of size bytes of JSON. Its text is the time in nanoseconds; the obfuscation field pads
// it, as it does in the real API.
func (s *stream) delta(size int) {
	var stamp [20]byte
	text := append(strconv.AppendInt(stamp[:0], time.Now().UnixNano(), 10), ' ')
	if len(s.text) < maxTextBytes {
		s.text = append(s.text, text...)
	}
	s.buf = append(s.buf, deltaHead...)
	start := len(s.buf)
	s.buf = append(s.buf, `{"type":"response.output_text.delta","sequence_number":`...)
	s.buf = strconv.AppendInt(s.buf, s.seq, 10)
	s.buf = append(s.buf, `,"item_id":"msg_`...)
	s.buf = append(s.buf, s.id[12:]...)
	s.buf = append(s.buf, `","output_index":0,"content_index":0,"delta":"`...)
	s.buf = append(s.buf, text...)
	s.buf = append(s.buf, `","obfuscation":"`...)
	for need := size - (len(s.buf) - start) - len(`"}`); need > 0; need -= len(padding) {
		s.buf = append(s.buf, padding[:min(need, len(padding))]...)
	}
	s.buf = append(s.buf, deltaTail...)
	s.seq++
}

// write sends what the buffer holds as one chunk.
func (s *stream) write() error {
	if s.plain {
		_ = messages(s.buf, func(data []byte) error { _, err := s.sum.Write(data); return err })
	} else {
		_, _ = s.sum.Write(s.buf)
	}
	err := s.out(s.buf)
	s.buf = s.buf[:0]
	return err
}

// messages yields the data of each frame.
func messages(frames []byte, yield func(data []byte) error) error {
	for len(frames) > 0 {
		frame, rest, _ := bytes.Cut(frames, []byte("\n\n"))
		_, data, _ := bytes.Cut(frame, []byte("data: "))
		if err := yield(data); err != nil {
			return err
		}
		frames = rest
	}
	return nil
}
