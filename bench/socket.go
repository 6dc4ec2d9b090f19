package main

import (
	"encoding/hex"
	"net/http"

	"github.com/coder/websocket"
)

// maxMessageBytes bounds one WebSocket message on either side.
const maxMessageBytes = 64 << 20

// socket answers each message of a WebSocket with a stream, one message an event.
func (u *upstream) socket(w http.ResponseWriter, r *http.Request) {
	defer u.enter(r)()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessageBytes)
	for {
		_, body, err := conn.Read(r.Context())
		if err != nil {
			return // the client has had enough
		}
		spec, err := specOf(r, body)
		if err != nil {
			_ = conn.Close(websocket.StatusPolicyViolation, "no such model")
			return
		}
		id := u.newID()
		s := newStream(id, spec.Model(), func(frames []byte) error {
			return messages(frames, func(data []byte) error {
				return conn.Write(r.Context(), websocket.MessageText, data)
			})
		})
		s.plain = true
		if err := s.send(r.Context(), spec); err != nil {
			return
		}
		u.record(id, body, hex.EncodeToString(s.sum.Sum(nil)))
	}
}
