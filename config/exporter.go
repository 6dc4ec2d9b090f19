package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const exporterHint = `write exporter = { otlp-http = { endpoint = "...", protocol = "binary" } }, { otlp-grpc = { endpoint = "..." } } or "none"`

// exporter checks the key that is either a string or a table with exactly one kind.
func (c *checker) exporter(n *node, value any) (any, bool) {
	switch value := value.(type) {
	case string:
		return c.exporterName(n, value)
	case map[string]any:
		return c.exporterTable(n, value)
	default:
		return c.wrongType(n.path, `"none" or a table`, value)
	}
}

func (c *checker) exporterName(n *node, value string) (any, bool) {
	name, ok := c.str(n.path, "a string", value)
	switch {
	case !ok:
		return nil, false
	case name == exporterNone, c.verbatim && name == exporterStatsig:
		return name, true
	case name == exporterStatsig:
		c.report.problem(n.path, `"statsig" is Codex's own destination for its metrics and takes no events`, exporterHint)
	case n.child(name) != nil:
		c.report.problem(n.path, quote(name)+" needs a table with its endpoint", exporterHint)
	default:
		known := append(n.names(), exporterNone)
		if c.verbatim {
			known = append(known, exporterStatsig)
		}
		hint := didYouMean(suggest(name, known))
		if hint == "" {
			hint = exporterHint
		}
		c.report.problem(n.path, `unknown exporter, want "none" or a table`, hint)
	}
	return nil, false
}

func (c *checker) exporterTable(n *node, table map[string]any) (any, bool) {
	if len(table) != 1 {
		c.report.problem(n.path, fmt.Sprintf("want exactly one of %s, got %d", strings.Join(n.names(), ", "), len(table)), exporterHint)
	}
	checked := leaf{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		kind := n.child(name)
		switch {
		case kind == nil && (name == exporterNone || name == exporterStatsig):
			c.report.problem(join(n.path, name), "is no table", "write "+n.name+" = "+quote(name))
		case kind == nil:
			c.unknown(n, name)
		default:
			if v, ok := c.value(kind, table[name]); ok {
				checked[name] = v
			}
		}
	}
	// What is left of a table with problems is kept, so that the rest of it is looked at too.
	return checked, len(checked) > 0
}
