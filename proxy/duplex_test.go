package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestResponseBeforeTheRequestHasEnded has an upstream that answers early. Without full duplex the server first waits for the
// rest of the request, or closes it under the transport's hands (golang/go#40747).
func TestResponseBeforeTheRequestHasEnded(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		_ = control.Flush()
		_, _ = io.Copy(w, r.Body)
	}))
	defer upstream.Close()
	server, _ := start(t, upstream.URL)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\nfirst ")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no response before the request has ended: %v", err)
	}
	defer response.Body.Close()
	_, _ = io.WriteString(conn, "second")
	if got, err := io.ReadAll(response.Body); err != nil || string(got) != "first second" {
		t.Errorf("body = %q, %v; want what was sent", got, err)
	}
}
