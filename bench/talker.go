package main

import (
	"context"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// talker runs one worker's requests after another: each as a POST, or all of them on a WebSocket of its own.
type talker struct {
	client *Client
	mode   Mode
	conn   *websocket.Conn // nil until it is needed
}

// talk runs one request.
func (t *talker) talk(ctx context.Context, body []byte) (Stream, error) {
	if t.mode.Socket == "" {
		return t.client.stream(ctx, t.mode.Spec, body)
	}
	stream, err := t.message(ctx, body)
	if err != nil {
		t.close()
	}
	return stream, err
}

// message runs one request on the WebSocket.
func (t *talker) message(ctx context.Context, body []byte) (Stream, error) {
	if t.conn == nil {
		options := &websocket.DialOptions{HTTPClient: t.client.http, HTTPHeader: t.client.headers(t.mode.Spec)}
		if t.mode.Socket == socketDeflate {
			options.CompressionMode = websocket.CompressionContextTakeover
		}
		conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(t.client.BaseURL, "http")+"/responses", options)
		if err != nil {
			return Stream{}, err
		}
		conn.SetReadLimit(maxMessageBytes)
		t.conn = conn
	}
	reader := newStreamReader(time.Now())
	if err := t.conn.Write(ctx, websocket.MessageText, body); err != nil {
		return Stream{}, err
	}
	for !reader.Completed {
		_, data, err := t.conn.Read(ctx)
		if err != nil {
			return reader.Stream, err
		}
		now := time.Now()
		reader.took(data, now)
		reader.data(data, now)
	}
	return reader.finish()
}

func (t *talker) close() {
	if t.conn != nil {
		_ = t.conn.CloseNow()
		t.conn = nil
	}
}
