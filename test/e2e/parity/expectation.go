package parity

import (
	"slices"
	"strconv"
	"strings"
)

// Expectation is a difference that is not a bug, as narrow as it can be told.
type Expectation struct {
	Event     string // empty: any
	Attribute string // a * at its end stands for any end
	Kinds     []Kind
	// Lone says that it is for events that only one of both told of, Again for those that Codex had told before.
	Lone, Again bool
	// Unasked says that no request of the run may say what the attribute tells.
	Unasked bool
	// From is the first release and Until the first after it, by their minor versions; 0: any.
	From, Until int
	// When is what else must hold of the records of Codex and of the proxy; nil is always. A record may be nil.
	When func(codex, proxy map[string]any) bool
	// If is When in words, for the page.
	If     string
	Reason string
}

// accounts reports whether the entry accounts for a difference.
func (e *Expectation) accounts(d *Difference, codex, proxy map[string]any) bool {
	if e.Event != "" && e.Event != d.Event || e.Lone != d.Lone || e.Again && !d.Again || e.Unasked && !d.Unasked || !slices.Contains(e.Kinds, d.Kind) {
		return false
	}
	if start, ok := strings.CutSuffix(e.Attribute, "*"); ok && !strings.HasPrefix(d.Attribute, start) || !ok && e.Attribute != d.Attribute {
		return false
	}
	minor := Minor(d.Run.Version)
	return minor >= e.From && (e.Until == 0 || minor < e.Until) && (e.When == nil || e.When(codex, proxy))
}

// Minor returns the second number of a version, by which releases of Codex are told apart.
func Minor(version string) int {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return 0
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0
	}
	return minor
}
