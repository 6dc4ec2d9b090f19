package redact

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

// Bounds of what a rule looks at.
const (
	maxTokenBytes = 32 << 10 // of a match of token characters without a bound
	maxWideBytes  = 2 << 10  // of a match of any characters without a bound
	nearBytes     = 256      // around a keyword that is not part of the match
	longBytes     = 600      // of a match that is more than a label and a token
	partialBytes  = 512      // of a token that was cut
	minPartial    = 4        // of those behind the prefix
	minPrefix     = 4        // of a beginning that is looked for in place of the keywords
)

// idioms returns what replaces the phrases that most rules of gitleaks are made of:
// text in JSON has backslashes before its quotes, a credential may stand before
// other punctuation, and what precedes a label does not matter.
func idioms() *strings.Replacer {
	const tail = `(?:[\x60'"\s;\\,()\[\]{}<>&|#\x{2026}]|\.(?:\s|$)|$)`
	return strings.NewReplacer(
		`[\w.-]{0,50}?`, ``,
		`[\s'"]{0,3}`, `[\s'"\\]{0,5}`,
		`[\x60'"\s=]{0,5}`, `[\x60'"\s=\\]{0,7}`,
		`(?:[\x60'"\s;]|\\[nr]|$)`, tail,
		`(?:[\x60'"\s;]|\\[nr]|$|\b)`, `\b`,
	)
}

// labelTail is what follows the label of a rule that goes by labels.
const labelTail = `(?:[ \t\w.-]{0,20})[\s'"\\]{0,5}`

// privateKeyRule may take long texts of any characters.
const privateKeyRule = "private-key"

// rule finds one kind of secret.
type rule struct {
	id       string
	class    int
	keywords []string
	group    int // of the regexp as written; 0 for the first that is not empty
	entropy  float64
	allow    []*allowlist

	prefixes []string  // of matches, in lower case; nil if not known
	first    [256]bool // what they begin with
	extent   extent
	boundary bool // a match begins a word
	labeled  bool // a match begins with a label
	anchored bool // a match begins with what a keyword tells
	within   bool // else its keywords are part of it
	pattern  string
	compiled func() *regexp.Regexp
}

func newRule(id, pattern string, group int, entropy float64) (*rule, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("parse rule %s: %w", id, err)
	}
	r := &rule{
		id: id, class: classOf(id), group: group, entropy: entropy, extent: extentOf(parsed),
		boundary: beginsWord(parsed), labeled: strings.Contains(pattern, labelTail),
	}
	if set, _ := prefixes(parsed); !slices.Contains(set, "") {
		r.prefixes = set
		for _, prefix := range set {
			r.first[prefix[0]], r.first[strings.ToUpper(prefix)[0]] = true, true
		}
	}
	r.pattern = pattern
	return r, nil
}

// beginsWord reports whether re begins with \b.
func beginsWord(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpWordBoundary:
		return true
	case syntax.OpConcat, syntax.OpCapture:
		return len(re.Sub) > 0 && beginsWord(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !beginsWord(sub) })
	default:
		return false
	}
}

// compile prepares the regexp, for matches that begin with a keyword if that can be.
func (r *rule) compile() {
	missing := func(prefix string) bool {
		return !slices.ContainsFunc(r.keywords, func(keyword string) bool { return related(prefix, keyword) >= 0 })
	}
	if slices.ContainsFunc(r.prefixes, missing) && !slices.ContainsFunc(r.prefixes, func(prefix string) bool {
		return len(prefix) < minPrefix && !r.labeled
	}) {
		// Where a match begins says more than a word somewhere in it.
		r.keywords = r.prefixes
	}
	r.anchored = r.prefixes != nil && !slices.ContainsFunc(r.prefixes, missing)
	r.within = strings.Contains(strings.ToLower(r.pattern), r.keywords[0])
	pattern := `(` + r.pattern + `)`
	if r.anchored {
		pattern = `\A(?s:.?)` + pattern
	}
	// It was parsed before. Most rules are never needed.
	r.compiled = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// offsets returns how far behind the beginning of a match the keyword may be: -1
// alone if matches may begin anywhere around it.
func (r *rule) offsets(keyword string) []int {
	if !r.anchored {
		return []int{-1}
	}
	var offsets []int
	for _, prefix := range r.prefixes {
		if at := related(prefix, keyword); at >= 0 && !slices.Contains(offsets, at) {
			offsets = append(offsets, at)
		}
	}
	return offsets
}

// related returns where in a match that begins with prefix the keyword is, negative
// if it is not known to be there.
func related(prefix, keyword string) int {
	if strings.HasPrefix(keyword, prefix) {
		return 0
	}
	return strings.Index(prefix, keyword)
}

// windows returns how far from its beginning a match is looked for, and again as long
// as it may go on.
func (r *rule) windows() []int {
	n := r.extent.bytes + nearBytes
	switch {
	case !r.extent.unbounded:
		return []int{n}
	case r.extent.wide && r.id != privateKeyRule:
		return []int{n, n + maxWideBytes}
	default:
		return []int{n, n + maxWideBytes, n + maxTokenBytes}
	}
}

// failed returns about how much of a text the regexp looks at before it fails.
func (r *rule) failed(text string) int {
	most := max(nearBytes, r.extent.bytes) / 4
	if r.extent.wide && r.id != privateKeyRule { // whose text ends where the next one begins
		return 2 * most
	}
	if r.extent.bytes > longBytes {
		return most
	}
	n := 0
	for n < min(most, len(text)) && text[n] > ' ' {
		n++
	}
	return n + nearBytes/16
}

// prefixAt returns the length of a beginning at start by which the rule knows a
// credential that was cut short: of ghp_ or AKIA, but of no label. 0 is none.
func (r *rule) prefixAt(text string, start int) int {
	if r.labeled {
		return 0
	}
	for _, prefix := range r.prefixes {
		if len(prefix) < 4 || len(text)-start < len(prefix) {
			continue
		}
		word := text[start : start+len(prefix)]
		if !strings.EqualFold(word, prefix) {
			continue
		}
		if strings.ContainsAny(prefix, "_-.~") || word == strings.ToUpper(word) {
			return len(prefix)
		}
	}
	return 0
}

// entropy is the Shannon entropy of s in bits a character, as gitleaks computes it.
func entropy(s string) float64 {
	counts := map[rune]int{}
	for _, r := range s {
		counts[r]++
	}
	bits := 0.0
	for _, count := range counts {
		share := float64(count) / float64(len(s))
		bits -= share * math.Log2(share)
	}
	return bits
}
