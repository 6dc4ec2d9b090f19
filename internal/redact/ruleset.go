package redact

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// The default rules of gitleaks v8.30.1, as they are; gitleaks.LICENSE goes with them.
//
//go:embed gitleaks.toml
var upstreamRules string

// What is added to them and left out of them, in the same format.
//
//go:embed rules.toml
var ownRules string

// ruleFile is the part of gitleaks' configuration format that says what a secret
// is. Paths and commits, which texts do not have, are left out.
type ruleFile struct {
	Extend struct {
		DisabledRules []string `toml:"disabledRules"`
	} `toml:"extend"`
	Allowlist allowlistFile `toml:"allowlist"`
	Rules     []struct {
		ID          string          `toml:"id"`
		Regex       string          `toml:"regex"`
		SecretGroup int             `toml:"secretGroup"`
		Entropy     float64         `toml:"entropy"`
		Keywords    []string        `toml:"keywords"`
		Tags        []string        `toml:"tags"`
		Allowlists  []allowlistFile `toml:"allowlists"`
	} `toml:"rules"`
}

// tagBroad marks a rule of ours that knows no provider: where another one finds the
// same, that one names it.
const tagBroad = "broad"

// genericRule is the broadest rule of gitleaks.
const genericRule = "generic-api-key"

// ruleset is all rules, the more telling ones first.
type ruleset struct {
	rules  []*rule
	allow  *allowlist // for every rule
	finder *automaton
	uses   [][]use  // by keyword
	words  []string // keywords, in lower case
}

// use is a rule to try where a keyword is.
type use struct {
	rule int
	// offset is how far behind the beginning of a match the keyword is; negative if
	// that is not known.
	offset int
}

// newRuleset compiles the rules. It fails only if the files of this package are
// wrong.
func newRuleset() (*ruleset, error) {
	var upstream, own ruleFile
	if err := toml.Unmarshal([]byte(upstreamRules), &upstream); err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if err := toml.Unmarshal([]byte(ownRules), &own); err != nil {
		return nil, fmt.Errorf("read own rules: %w", err)
	}
	allow, err := newAllowlist(upstream.Allowlist)
	if err != nil {
		return nil, err
	}
	set := &ruleset{allow: allow}
	phrases := idioms()
	var broad []*rule
	for _, file := range []*ruleFile{&own, &upstream} {
		for i := range file.Rules {
			r := &file.Rules[i]
			if r.Regex == "" || file == &upstream && slices.Contains(own.Extend.DisabledRules, r.ID) {
				continue
			}
			made, err := newRule(r.ID, phrases.Replace(r.Regex), r.SecretGroup, r.Entropy)
			if err != nil {
				return nil, err
			}
			for _, list := range r.Allowlists {
				allowed, err := newAllowlist(list)
				if err != nil {
					return nil, fmt.Errorf("rule %s: %w", r.ID, err)
				}
				made.allow = append(made.allow, allowed)
			}
			for _, keyword := range r.Keywords {
				made.keywords = append(made.keywords, strings.ToLower(keyword))
			}
			made.compile()
			if r.ID == genericRule || slices.Contains(r.Tags, tagBroad) {
				broad = append(broad, made)
				continue
			}
			set.rules = append(set.rules, made)
		}
	}
	set.rules = append(set.rules, broad...)
	if err := set.index(); err != nil {
		return nil, err
	}
	return set, nil
}

// index builds the automaton of all keywords.
func (s *ruleset) index() error {
	ids := map[string]int{}
	for n, r := range s.rules {
		if len(r.keywords) == 0 {
			return fmt.Errorf("rule %s: no keywords", r.id)
		}
		for _, keyword := range r.keywords {
			id, known := ids[keyword]
			if !known {
				id = len(s.words)
				ids[keyword] = id
				s.words, s.uses = append(s.words, keyword), append(s.uses, nil)
			}
			for _, offset := range r.offsets(keyword) {
				s.uses[id] = append(s.uses[id], use{n, offset})
			}
		}
	}
	finder, ok := newAutomaton(s.words)
	if !ok {
		return fmt.Errorf("index rules: %d keywords are too many", len(s.words))
	}
	s.finder = finder
	return nil
}

// allowlistFile is what a rule, or every rule, does not take for a secret.
type allowlistFile struct {
	Condition   string   `toml:"condition"`
	Paths       []string `toml:"paths"`
	RegexTarget string   `toml:"regexTarget"`
	Regexes     []string `toml:"regexes"`
	StopWords   []string `toml:"stopwords"`
}

// allowlist tells what looks like a secret and is none.
type allowlist struct {
	target  string // "" for the secret, "match" or "line"
	regexes []*regexp.Regexp
	words   *automaton
}

func newAllowlist(file allowlistFile) (*allowlist, error) {
	list := &allowlist{target: file.RegexTarget}
	if strings.EqualFold(file.Condition, "and") && len(file.Paths) > 0 {
		return list, nil // No text has a path.
	}
	for _, pattern := range file.Regexes {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("compile allowlist: %w", err)
		}
		list.regexes = append(list.regexes, re)
	}
	if len(file.StopWords) > 0 {
		words := make([]string, len(file.StopWords))
		for i, word := range file.StopWords {
			words[i] = strings.ToLower(word)
		}
		var ok bool
		if list.words, ok = newAutomaton(words); !ok {
			return nil, fmt.Errorf("index allowlist: %d words are too many", len(words))
		}
	}
	return list, nil
}

// allows reports whether a find is none.
func (l *allowlist) allows(f find) bool {
	target := f.secret()
	switch l.target {
	case "match":
		target = f.match()
	case "line":
		target = f.line()
	}
	for _, re := range l.regexes {
		if re.MatchString(target) {
			return true
		}
	}
	found := false
	if l.words != nil {
		l.words.find(f.secret(), func(int, int) bool { found = true; return false })
	}
	return found
}
