package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// TOML returns the configuration as a commented TOML document with every key in it. Credentials are masked: header
// values, the user and password of a URL, and its query. A string that refers to variables is shown as it was
// configured, not with their values.
func (c *Config) TOML() ([]byte, error) {
	p := &printer{written: c.written}
	p.table(root(), reflect.ValueOf(*c))
	document := p.b.String()
	var parsed map[string]any
	if err := toml.Unmarshal([]byte(document), &parsed); err != nil {
		return nil, fmt.Errorf("print configuration: %w", err)
	}
	return []byte(document), nil
}

// printer writes the tree of nodes as TOML.
type printer struct {
	b       strings.Builder
	written map[string]Secret
}

// table writes the keys of n, then its tables: a key behind a table's header would belong to that table.
func (p *printer) table(n *node, v reflect.Value) {
	for _, c := range n.children {
		if !c.ignored && c.kind != kindTable {
			fmt.Fprintf(&p.b, "# %s\n%s = %s\n", c.doc, c.name, p.value(c, v.Field(c.index)))
		}
	}
	for _, c := range n.children {
		if c.kind == kindTable {
			fmt.Fprintf(&p.b, "\n# %s\n[%s]\n", c.doc, c.path)
			p.table(c, v.Field(c.index))
		}
	}
}

func (p *printer) value(n *node, v reflect.Value) string {
	switch n.kind {
	case kindBool:
		return strconv.FormatBool(v.Bool())
	case kindInt:
		return strconv.FormatInt(v.Int(), 10)
	case kindDuration:
		return p.text(n, n.path, formatDuration(time.Duration(v.Int())))
	case kindList:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = p.text(n, item(n.path, i), v.Index(i).String())
		}
		return "[" + strings.Join(items, ", ") + "]"
	case kindStrings:
		return p.headers(v)
	case kindTable, kindExporter:
		return p.inline(n, v)
	default:
		return p.text(n, n.path, v.String())
	}
}

// inline writes an exporter, or a table inside it, on one line. What is not set is left out.
func (p *printer) inline(n *node, v reflect.Value) string {
	var fields []string
	for _, c := range n.children {
		field := v.Field(c.index)
		if field.IsZero() {
			continue
		}
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		fields = append(fields, c.name+" = "+p.value(c, field))
	}
	if n.kind == kindExporter && fields == nil {
		return quote(exporterNone)
	}
	return "{ " + strings.Join(fields, ", ") + " }"
}

// headers writes the names with masked values.
func (p *printer) headers(v reflect.Value) string {
	headers, _ := reflect.TypeAssert[map[string]Secret](v)
	fields := make([]string, 0, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fields = append(fields, quote(name)+" = "+quote(redacted))
	}
	return "{ " + strings.Join(fields, ", ") + " }"
}

// text writes a string as configured if it had a reference, otherwise so that reading it gives the same again.
func (p *printer) text(n *node, path, value string) string {
	if n.secret && n.role != "url" && value != "" {
		return quote(redacted)
	}
	if written, ok := p.written[path]; ok {
		value = written.Reveal()
	} else {
		value = strings.ReplaceAll(value, "${", "$${")
	}
	if n.role == "url" {
		value = maskURL(value)
	}
	return quote(value)
}

// maskURL hides what may be a credential in a URL: all before the last @, and the query. It works on text, since a
// URL with a reference in it does not parse.
func maskURL(s string) string {
	if before, _, ok := strings.Cut(s, "?"); ok {
		s = before + "?" + redacted
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	} else {
		scheme += "://"
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = redacted + rest[i:]
	}
	return scheme + rest
}

// formatDuration is Duration.String without trailing zero units: 2m, not 2m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
