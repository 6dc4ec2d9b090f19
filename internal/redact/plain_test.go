package redact

import (
	"strconv"
	"strings"
	"testing"
)

// TestPlainTextsAreRemembered tells a Recorder the same texts again and again: what it remembers of them changes nothing.
func TestPlainTextsAreRemembered(t *testing.T) {
	secret := "export AWS_KEY=AKIA" + "Z7QX3MPL5WKR2VNT"
	scanner := newScanner(t)
	f := New(Config{Scanner: scanner})
	for i := range 3 {
		if told := f.scan(secret); strings.Contains(told, "AKIA") {
			t.Errorf("time %d: told %q; want no key", i, told)
		}
		if told := f.scan("gpt-5"); told != "gpt-5" {
			t.Errorf("time %d: told %q; want gpt-5", i, told)
		}
	}
	if got := scanner.Counts()["aws"]; got != 3 {
		t.Errorf("%d keys are counted; want 3", got)
	}
	if !f.plain.has("gpt-5") {
		t.Error("gpt-5 is not remembered")
	}
	long := strings.Repeat("a", maxPlainBytes+1)
	f.scan(long)
	if f.plain.has(long) || f.plain.has(secret) {
		t.Error("a long text, or one with a key, is remembered")
	}
}

func TestPlainIsBounded(t *testing.T) {
	p := newPlain()
	for i := range 4 * maxPlain {
		p.add(strings.Repeat("x", i%maxPlainBytes) + string(rune('a'+i/maxPlainBytes)))
	}
	kept := 0
	for _, text := range p.texts {
		kept += len(text)
	}
	if kept == 0 || kept > maxPlain*maxPlainBytes {
		t.Errorf("%d bytes are kept; want some, and at most %d", kept, maxPlain*maxPlainBytes)
	}
}

// TestPlainKnowsOnlyWhatItWasTold has more texts than places: those that share one are not taken for each other.
func TestPlainKnowsOnlyWhatItWasTold(t *testing.T) {
	p := newPlain()
	for i := range 4 * maxPlain {
		p.add(strconv.Itoa(i))
	}
	for i := range maxPlain {
		if other := "other " + strconv.Itoa(i); p.has(other) {
			t.Fatalf("%q is remembered; it was never told", other)
		}
	}
}
