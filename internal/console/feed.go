package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ServeHTTP serves the live feed to one reader until it leaves, stops reading,
// or Run ends. It answers 400 to a filter that makes no sense, 405 to anything
// but GET, and 503 when there are too many readers or the hub has closed.
//
// Whoever may send a request may read: guard it like the rest of the proxy's
// own routes. It sets no CORS headers.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "the live feed is read with GET", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	f, err := parseFilter(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	rd, err := h.join(f, lastEventID(r.Header, query), cancel)
	if err != nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	feed := newFeedWriter(w, h.cfg.WriteTimeout)
	feed.opened = func() { h.attach(rd) }
	feed.written = func() {
		if rd.window.pop() {
			h.signal()
		}
	}
	feed.failed = cancel
	defer func() { h.leave(rd, feed.stalled()) }()

	stop := context.AfterFunc(ctx, feed.hurry)
	defer feed.finish()
	defer stop()

	h.server.CreateStream(rd.stream)
	// The stream goes last: removed any earlier, the server's goroutines for
	// this reader would wait for it for ever. ServeHTTP returns only when ctx
	// has ended, and by then they are done with it.
	defer h.server.RemoveStream(rd.stream)
	h.server.ServeHTTP(feed, streamRequest(r.WithContext(ctx), rd.stream))
}

// streamRequest returns the request that the SSE server expects: its stream in
// the query, and no Last-Event-ID, which it would insist on being a number.
func streamRequest(r *http.Request, stream string) *http.Request {
	r.URL = &url.URL{Path: LivePath, RawQuery: url.Values{"stream": {stream}}.Encode()}
	r.Header = http.Header{}
	return r
}

// lastEventID returns where a reader wants to go on. A browser that reconnects
// repeats its address, so its header is the newer one.
func lastEventID(header http.Header, query url.Values) string {
	if id := header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return query.Get("last_event_id")
}

// parseEventID returns the number of an id with that prefix.
func parseEventID(id, prefix string) (seq uint64, ok bool) {
	digits, ok := strings.CutPrefix(id, prefix+"-")
	if !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil
}
