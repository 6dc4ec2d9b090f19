package redact

import "strings"

// The classes that what was replaced is counted under, by the beginning of a rule's
// id. Those of gitleaks that are none of these are other.
const (
	classOther = iota
	classGeneric
	classCount = 22
)

// classes returns the names of the classes.
func classes() [classCount]string {
	return [classCount]string{
		"other", "generic", "anthropic", "api-key", "authorization", "aws", "azure", "cookie", "env", "gcp", "github", "gitlab",
		"huggingface", "jwt", "kubernetes", "npm", "openai", "private-key", "pypi", "slack", "stripe", "url",
	}
}

// classOf returns the class of a rule.
func classOf(rule string) int {
	for class, name := range classes() {
		if rule == name || strings.HasPrefix(rule, name+"-") {
			return class
		}
	}
	return classOther
}

// Counts returns how many credentials were replaced since the start, by class. The
// classes are always the same.
func (s *Scanner) Counts() map[string]int64 {
	counts := make(map[string]int64, classCount)
	for class, name := range classes() {
		counts[name] = s.counts[class].Load()
	}
	return counts
}
