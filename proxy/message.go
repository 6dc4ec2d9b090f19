package proxy

import (
	"slices"
	"time"

	"github.com/codex-proxy/codex-proxy/internal/wstap"
)

// message is a text message of a WebSocket.
type message struct {
	data, tail []byte
	size       int64
	start, at  time.Time // of its first and its last byte
}

// messageOf borrows the data of m.
func messageOf(m *wstap.Message) message {
	return message{data: m.Data, tail: m.Tail, size: m.Size, start: m.Start, at: m.At}
}

// pile keeps messages for later, oldest first.
type pile struct {
	messages []message
	bytes    int
}

// push keeps a copy of a message, and reports whether there was room.
func (p *pile) push(m message, maxMessages, maxBytes int) bool {
	size := len(m.data) + len(m.tail)
	if len(p.messages) == maxMessages || p.bytes+size > maxBytes {
		return false
	}
	m.data, m.tail = slices.Clone(m.data), slices.Clone(m.tail)
	p.messages = append(p.messages, m)
	p.bytes += size
	return true
}

// pop takes the oldest message.
func (p *pile) pop() (message, bool) {
	if len(p.messages) == 0 {
		return message{}, false
	}
	oldest := p.messages[0]
	p.messages = slices.Delete(p.messages, 0, 1)
	p.bytes -= len(oldest.data) + len(oldest.tail)
	return oldest, true
}

// take takes them all.
func (p *pile) take() []message {
	all := p.messages
	*p = pile{}
	return all
}
