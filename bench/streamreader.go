package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"time"
)

// Stream is what the client saw of one response stream.
type Stream struct {
	ID        string // response id
	Sum       string // SHA-256 of the body
	Bytes     int
	Events    int             // delta events
	Completed bool            // response.completed arrived
	First     time.Duration   // request sent to first body byte
	Latency   []time.Duration // per delta event: upstream's stamp to arrival
}

// streamReader takes a body apart into frames as it arrives.
type streamReader struct {
	Stream
	sum     hash.Hash
	start   time.Time
	partial []byte // start of a frame whose end has not arrived
}

func newStreamReader(start time.Time) *streamReader {
	return &streamReader{sum: sha256.New(), start: start}
}

// took notes bytes that arrived.
func (r *streamReader) took(p []byte, now time.Time) {
	if r.Bytes == 0 {
		r.First = now.Sub(r.start)
	}
	_, _ = r.sum.Write(p)
	r.Bytes += len(p)
}

// read takes a piece of a body.
func (r *streamReader) read(p []byte, now time.Time) {
	r.took(p, now)
	if len(r.partial) > 0 {
		r.partial = append(r.partial, p...)
		p = r.partial
	}
	for {
		frame, rest, found := bytes.Cut(p, []byte("\n\n"))
		if !found {
			break
		}
		if _, data, ok := bytes.Cut(frame, []byte("data:")); ok {
			r.data(data, now)
		}
		p = rest
	}
	r.partial = append(r.partial[:0], p...)
}

// data takes the data of a frame.
func (r *streamReader) data(data []byte, now time.Time) {
	head := data[:min(len(data), 80)] // the type stands first
	switch {
	case bytes.Contains(head, []byte(`"response.output_text.delta"`)):
		r.Events++
		if sent, ok := stamp(data); ok {
			r.Latency = append(r.Latency, now.Sub(sent))
		}
	case bytes.Contains(head, []byte(`"response.created"`)):
		if _, id, ok := bytes.Cut(data, []byte(`"id":"`)); ok {
			id, _, _ = bytes.Cut(id, []byte(`"`))
			r.ID = string(id)
		}
	case bytes.Contains(head, []byte(`"response.completed"`)):
		r.Completed = true
	}
}

// finish ends the stream.
func (r *streamReader) finish() (Stream, error) {
	r.Sum = hex.EncodeToString(r.sum.Sum(nil))
	if !r.Completed {
		return r.Stream, errIncomplete
	}
	return r.Stream, nil
}

// stamp reads the time that the upstream wrote into a delta.
func stamp(data []byte) (time.Time, bool) {
	const digits = 19
	_, text, found := bytes.Cut(data, []byte(`"delta":"`))
	if !found || len(text) < digits {
		return time.Time{}, false
	}
	ns, err := strconv.ParseInt(string(text[:digits]), 10, 64)
	return time.Unix(0, ns), err == nil
}
