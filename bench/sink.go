package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// Count is what an OTLP receiver got since it was reset.
type Count struct {
	Requests int64 `json:"requests"`
	Records  int64 `json:"records"`
	Distinct int64 `json:"distinct"` // of the records, by event.id
}

// sink is an OTLP/HTTP receiver of logs that counts and keeps nothing.
type sink struct {
	mu    sync.Mutex
	count Count
	ids   map[uint64]struct{} // digests of event.id
}

func sinkCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("sink", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9318", "address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return serve(ctx, *listen, newSink())
}

func newSink() http.Handler {
	s := &sink{ids: map[uint64]struct{}{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", s.logs)
	mux.HandleFunc("GET /count", s.counted)
	mux.HandleFunc("POST /reset", s.reset)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

func (s *sink) counted(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Distinct = int64(len(s.ids))
	_ = json.NewEncoder(w).Encode(s.count)
}

func (s *sink) reset(http.ResponseWriter, *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count, s.ids = Count{}, map[uint64]struct{}{}
}

func (s *sink) logs(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unzipped
	}
	payload, err := io.ReadAll(body)
	if err != nil {
		return // the sender went away
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.request(payload); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.count.Requests++
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// Numbers of the fields on the way from an ExportLogsServiceRequest to an attribute (opentelemetry-proto, logs.proto).
const (
	fieldResourceLogs = 1
	fieldScopeLogs    = 2
	fieldLogRecord    = 2
	fieldAttributes   = 6
	fieldKey          = 1
	fieldValue        = 2
)

// request counts the records of an ExportLogsServiceRequest.
func (s *sink) request(payload []byte) error {
	return each(payload, fieldResourceLogs, func(resource []byte) error {
		return each(resource, fieldScopeLogs, func(scope []byte) error {
			return each(scope, fieldLogRecord, func(record []byte) error {
				s.count.Records++
				return each(record, fieldAttributes, s.attribute)
			})
		})
	})
}

// attribute notes an event.id.
func (s *sink) attribute(pair []byte) error {
	isID := false
	if err := each(pair, fieldKey, func(key []byte) error { isID = string(key) == "event.id"; return nil }); err != nil || !isID {
		return err
	}
	return each(pair, fieldValue, func(value []byte) error {
		sum := fnv.New64a()
		_, _ = sum.Write(value)
		s.ids[sum.Sum64()] = struct{}{}
		return nil
	})
}

// each yields the bytes fields of a message that have that number.
func each(message []byte, number protowire.Number, yield func([]byte) error) error {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if num == number && kind == protowire.BytesType {
			value, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return protowire.ParseError(n)
			}
			if err := yield(value); err != nil {
				return err
			}
			message = message[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, kind, message); n < 0 {
			return errors.Join(errors.New("skip field"), protowire.ParseError(n))
		}
		message = message[n:]
	}
	return nil
}
