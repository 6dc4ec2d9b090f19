package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	env := map[string]string{"A": "a", "EMPTY": "", "NESTED": "${A}", "_x1": "x"}
	tests := []struct {
		in, want string
		unset    []string
		err      error
	}{
		{in: "plain $ and $A and {A} and $", want: "plain $ and $A and {A} and $"},
		{in: "${A}", want: "a"},
		{in: "<${A}${_x1}>", want: "<ax>"},
		{in: "${NESTED}", want: "${A}"},
		{in: "${NONE:-d}${EMPTY:-e}${A:-f}", want: "dea"},
		{in: "${NONE:-}", want: ""},
		{in: "${NONE:-a:-b}", want: "a:-b"},
		{in: "$${A}", want: "${A}"},
		{in: "$$${A}", want: "$${A}"},
		{in: "$${", want: "${"},
		{in: "$${x ${A}", want: "${x a"},
		{in: "${NONE}-${EMPTY}", want: "-", unset: []string{"NONE", "EMPTY"}},
		{in: "${A", err: errReference},
		{in: "${}", err: errReference},
		{in: "${1A}", err: errReference},
		{in: "${A-b}", err: errReference},
		{in: "${A B}", err: errReference},
	}
	for _, test := range tests {
		got, unset, err := newExpander(env).expand(test.in)
		if got != test.want || !slices.Equal(unset, test.unset) || !errors.Is(err, test.err) {
			t.Errorf("expand(%q) = %q, %q, %v; want %q, %q, %v", test.in, got, unset, err, test.want, test.unset, test.err)
		}
	}
}

// TestExpandIsBounded: a small file must not become gigabytes.
func TestExpandIsBounded(t *testing.T) {
	x := newExpander(map[string]string{"BIG": strings.Repeat("x", 1<<20)})
	if _, _, err := x.expand("${BIG}${BIG}${BIG}${BIG}"); err != nil {
		t.Fatalf("expand to the limit = %v; want no error", err)
	}
	if _, _, err := x.expand("${BIG}"); !errors.Is(err, errTooLong) {
		t.Errorf("expand past the limit = %v; want %v", err, errTooLong)
	}
}

func TestSuggest(t *testing.T) {
	candidates := []string{"listen", "ca-certificate", "client-certificate", "log"}
	for name, want := range map[string]string{
		"lisen": "listen", "LISTEN": "listen", "ca_certificate": "ca-certificate", "ca-cert": "", "lgo": "", "lg": "log",
		"": "", "completely different": "", strings.Repeat("x", 1<<20): "",
	} {
		if got := suggest(name, candidates); got != want {
			t.Errorf("suggest(%.20q) = %q; want %q", name, got, want)
		}
	}
}
