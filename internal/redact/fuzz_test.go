package redact

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzText puts a credential into any text: it is never told, JSON stays JSON, and
// what is replaced once stays.
func FuzzText(f *testing.F) {
	s := newScanner(f)
	secret := credentials()["github-pat"]
	for _, text := range []string{
		"%", `{"a":"%"}`, "-----BEGIN RSA PRIVATE" + " KEY-----\nabc", "postgres://u:p@h", `{"a":"curl -u x:\"%\""}`, "authorization: bearer %", "password=%&x",
		"data:\n  a: %\nkind: secret\n", "eyJ%.%", "x=%…", `"auth\":\"%\"`, "cookie: a=%\\", "test_%_mmk",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "%", " "+secret+" ")
		clean, found := s.Text(text)
		if strings.Contains(clean, secret) {
			t.Errorf("Text(%q) = %q", text, clean)
		}
		if !found && clean != text {
			t.Errorf("Text(%q) = %q, false", text, clean)
		}
		if json.Valid([]byte(text)) && !json.Valid([]byte(clean)) {
			t.Errorf("Text(%q) = %q, which is no JSON", text, clean)
		}
	})
}
