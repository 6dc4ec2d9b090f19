package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// text checks a string with its enumeration or role.
func (c *checker) text(n *node, value any) (any, bool) {
	s, ok := c.str(n.path, "a string", value)
	switch {
	case !ok:
		return nil, false
	case c.verbatim:
		return s, true
	case (n.required || n.nonempty) && s == "":
		c.report.problem(n.path, "is empty", "")
		return nil, false
	case n.enum != nil && !slices.Contains(n.enum, s):
		c.report.problem(n.path, "want "+alternatives(n.enum), didYouMean(suggest(s, n.enum)))
		return nil, false
	case n.role == "state" && (s == StoreAuto || s == StoreMemory):
		return s, true
	case (n.role == "file" || n.role == "key" || n.role == "state") && s != "":
		return c.fileName(n, s)
	}
	return s, true
}

// fileName makes a file name absolute. PEM text in its place is a common mistake.
func (c *checker) fileName(n *node, name string) (any, bool) {
	if strings.ContainsAny(name, "\n\r\x00") || strings.Contains(name, "-----BEGIN") {
		c.report.problem(n.path, "want the name of a file, got its content", "")
		return nil, false
	}
	if rest, ok := strings.CutPrefix(name, "~/"); ok && c.references.env["HOME"] != "" {
		name = filepath.Join(c.references.env["HOME"], rest)
	} else if !filepath.IsAbs(name) {
		name = filepath.Join(c.dir, name)
	}
	name, err := filepath.Abs(name)
	if err != nil {
		c.report.problem(n.path, "cannot be made absolute: there is no working directory", "")
		return nil, false
	}
	return name, true
}

func (c *checker) duration(n *node, value any) (any, bool) {
	const want = `a duration string such as "10s" or "2m"`
	s, ok := c.str(n.path, want, value)
	if !ok || c.verbatim {
		return s, ok
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		c.report.problem(n.path, "want "+want, "")
		return nil, false
	}
	return s, c.inRange(n, int64(d))
}

// inRange checks an integer, or a duration in nanoseconds.
func (c *checker) inRange(n *node, i int64) bool {
	switch {
	case c.verbatim:
		return true
	case i < 0:
		c.report.problem(n.path, "is negative", "")
	case i < n.min && n.min > 1:
		c.report.problem(n.path, fmt.Sprintf("is smaller than %d", n.min), "")
	case i < n.min:
		c.report.problem(n.path, "is zero", "")
	case n.max != 0 && i > n.max:
		c.report.problem(n.path, fmt.Sprintf("is larger than %d", n.max), "")
	default:
		return true
	}
	return false
}

func (c *checker) list(n *node, value any) (any, bool) {
	items, ok := value.([]any)
	if !ok {
		return c.wrongType(n.path, "an array of strings", value)
	}
	out := make([]string, len(items))
	for i, value := range items {
		// What is wrong stays as an empty string, so that the rest keep their index.
		out[i], _ = c.str(item(n.path, i), "a string", value)
	}
	return out, true
}

// strings checks a table of strings whose keys are free, or a table of such tables.
func (c *checker) strings(path string, value any, nested bool) (any, bool) {
	table, ok := value.(map[string]any)
	if !ok {
		return c.wrongType(path, "a table", value)
	}
	out := make(map[string]any, len(table))
	table = c.withoutCaseTwins(path, table)
	for _, key := range slices.Sorted(maps.Keys(table)) {
		var checked any
		if nested {
			checked, ok = c.strings(join(path, key), table[key], false)
		} else {
			checked, ok = c.str(join(path, key), "a string", table[key])
		}
		if ok {
			out[key] = checked
		}
	}
	return out, true
}

// str checks that value is a string and expands it.
func (c *checker) str(path, want string, value any) (string, bool) {
	s, ok := value.(string)
	if !ok {
		c.wrongType(path, want, value)
		return "", false
	}
	if c.verbatim || !strings.Contains(s, "${") && utf8.ValidString(s) {
		return s, true
	}
	expanded, unset, err := c.references.expand(s)
	if err != nil {
		c.report.problem(path, err.Error(), "write ${NAME}, ${NAME:-default}, or $${ for a plain ${")
		return "", false
	}
	if isIn(c.replaced, path) {
		return expanded, true // not used, so nothing has to be set
	}
	for _, name := range unset {
		c.report.problem(path, "environment variable "+name+" is unset or empty", "set it, or write ${"+name+":-} for an empty default")
	}
	if !utf8.ValidString(expanded) {
		c.report.problem(path, "is not valid UTF-8", "")
		return "", false
	}
	c.written[path] = Secret(s)
	return expanded, len(unset) == 0
}

// wrongType reports a value of the wrong type, and a reference where only strings have them.
func (c *checker) wrongType(path, want string, value any) (any, bool) {
	hint := ""
	if s, ok := value.(string); ok && strings.Contains(s, "${") {
		hint = "only strings can refer to variables; set the CODEX_PROXY_ variable of this key instead"
	}
	c.report.problem(path, "want "+want+", got "+typeName(value), hint)
	return nil, false
}

// typeName is what TOML calls the type of value.
func typeName(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}

// alternatives lists the values of an enumeration.
func alternatives(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
