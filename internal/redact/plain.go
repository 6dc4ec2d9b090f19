package redact

import (
	"hash/maphash"
	"strings"
	"sync"
)

// Bounds of what is remembered of texts. A record's texts are short, and most are those of the record before.
const (
	maxPlain      = 512
	maxPlainBytes = 128
)

// plain remembers short texts in which no rule found anything. What has the place of another one takes it.
type plain struct {
	seed  maphash.Seed
	mu    sync.Mutex
	texts [maxPlain]string
}

func newPlain() *plain { return &plain{seed: maphash.MakeSeed()} }

// has reports whether a text is remembered.
func (p *plain) has(text string) bool {
	place := p.place(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.texts[place] == text
}

// add remembers a text. It keeps a copy: a short text may be part of a long one.
func (p *plain) add(text string) {
	place, text := p.place(text), strings.Clone(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts[place] = text
}

func (p *plain) place(text string) uint64 { return maphash.String(p.seed, text) % maxPlain }
