package config

import (
	"maps"
	"slices"
	"strings"
)

// checker compares values as TOML has them with the tree of nodes. It returns what is right, references expanded, and
// reports the rest.
type checker struct {
	report     *report
	references *expander
	dir        string            // what relative file names are relative to
	written    map[string]Secret // path → string as configured, where it had a ${
	replaced   map[string]bool   // settings the environment or an override replaces
	verbatim   bool              // inside an ignored key: nothing is expanded, required or limited
}

func newChecker(r *report, references *expander, dir string) *checker {
	return &checker{report: r, references: references, dir: dir, written: map[string]Secret{}}
}

// table checks the keys of a table and returns those that are right.
func (c *checker) table(n *node, in map[string]any) map[string]any {
	in = c.withoutCaseTwins(n.path, in)
	out := make(map[string]any, len(in))
	meant := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if n.child(key) == nil {
			meant[c.unknown(n, key)] = true
		}
	}
	for _, child := range n.children {
		value, present := in[child.name]
		switch {
		case present:
			if checked, ok := c.value(child, value); ok {
				out[child.name] = checked
			}
		case c.verbatim || meant[child.name]:
		case child.required:
			c.report.problem(child.path, "is missing", "")
		case child.fallback != "":
			out[child.name] = child.fallback
		}
	}
	return out
}

// unknown reports a key that does not exist and returns the sibling that was probably meant.
func (c *checker) unknown(n *node, key string) string {
	if c.report.full() {
		c.report.left++
		return ""
	}
	sibling := suggest(key, n.names())
	hint := sibling
	if hint == "" {
		hint = root().find(key)
	}
	c.report.problem(join(n.path, key), "unknown key", didYouMean(hint))
	return sibling
}

// withoutCaseTwins reports keys that differ only in case and returns in without them. TOML tells them apart and
// nothing else here does: one would silently win.
func (c *checker) withoutCaseTwins(path string, in map[string]any) map[string]any {
	spellings := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		folded := strings.ToLower(key)
		spellings[folded] = append(spellings[folded], key)
	}
	if len(spellings) == len(in) {
		return in
	}
	out := maps.Clone(in)
	for _, folded := range slices.Sorted(maps.Keys(spellings)) {
		twins := spellings[folded]
		if len(twins) == 1 {
			continue
		}
		c.report.problem(join(path, twins[0]), "differs only in case from "+quoteKey(twins[1]), "keep one of them")
		for _, key := range twins {
			delete(out, key)
		}
	}
	return out
}

// value checks the value of n; ok is false where it is wrong or ignored.
func (c *checker) value(n *node, value any) (checked any, ok bool) {
	if n.ignored {
		c.ignored(n, value)
		return nil, false
	}
	switch n.kind {
	case kindTable:
		if table, ok := value.(map[string]any); ok {
			return c.table(n, table), true
		}
		return c.wrongType(n.path, "a table", value)
	case kindBool:
		if b, ok := value.(bool); ok {
			return b, true
		}
		return c.wrongType(n.path, "true or false", value)
	case kindInt:
		if i, ok := value.(int64); ok {
			return int(i), c.inRange(n, i)
		}
		return c.wrongType(n.path, "an integer", value)
	case kindDuration:
		return c.duration(n, value)
	case kindList:
		return c.list(n, value)
	case kindStrings, kindMembers:
		return c.strings(n.path, value, n.kind == kindMembers)
	case kindExporter:
		return c.exporter(n, value)
	default:
		return c.text(n, value)
	}
}

// ignored checks that a key Codex would accept has a value Codex would accept, and warns that it has no effect.
func (c *checker) ignored(n *node, value any) {
	codex := *n
	codex.ignored = false
	before := c.report.count()
	(&checker{report: c.report, references: c.references, verbatim: true}).value(&codex, value)
	if c.report.count() == before {
		c.report.warn(n.path, "is a key of Codex's and has no effect here", "")
	}
}
