package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// kind is what a key's value must be.
type kind int

const (
	kindTable kind = iota
	kindString
	kindBool
	kindInt
	kindDuration
	kindList     // array of strings
	kindStrings  // table of strings, names free
	kindMembers  // table of tables of strings
	kindExporter // "none" or a table with one of the children
)

// node describes one key, read from the tags of the struct's field. The tree of nodes is what checking, environment
// variables, the schema and the printed form all follow.
type node struct {
	name, path string // TOML key, dotted TOML path
	index      int    // of the field in its struct
	kind       kind
	doc        string
	enum       []string
	role       string // the kind tag: file, key, state, url
	secret     bool   // never shown
	ignored    bool   // Codex's, not used
	required   bool   // must be given; only inside an exporter, elsewhere everything has a default
	nonempty   bool
	fallback   string // default inside an optional table
	min, max   int64  // for integers and durations; max 0 is none
	children   []*node
}

// root returns the tree for Config.
func root() *node {
	return &node{kind: kindTable, children: childrenOf(reflect.TypeFor[Config](), "")}
}

func childrenOf(t reflect.Type, prefix string) []*node {
	var nodes []*node
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Tag.Get("mapstructure")
		if !field.IsExported() || name == "" {
			continue
		}
		n := &node{
			name: name, path: join(prefix, name), index: i,
			doc: field.Tag.Get("doc"), role: field.Tag.Get("kind"),
			required: field.Tag.Get("required") != "", nonempty: field.Tag.Get("nonempty") != "",
			fallback: field.Tag.Get("default"),
			min:      tagInt(field.Tag, "min"), max: tagInt(field.Tag, "max"),
		}
		if enum := field.Tag.Get("enum"); enum != "" {
			n.enum = strings.Split(enum, ",")
		}
		n.describe(field.Type)
		nodes = append(nodes, n)
	}
	return nodes
}

// describe sets what follows from the field's Go type.
func (n *node) describe(t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		n.kind = kindDuration
	case reflect.TypeFor[Secret]():
		n.kind, n.secret = kindString, true
	case reflect.TypeFor[map[string]Secret]():
		n.kind, n.secret = kindStrings, true
	case reflect.TypeFor[[]string]():
		n.kind = kindList
	case reflect.TypeFor[Exporter]():
		n.kind, n.children = kindExporter, childrenOf(t, n.path)
	case reflect.TypeFor[Ignored]():
		n.ignored = true
		switch n.role {
		case "exporter":
			n.kind, n.children = kindExporter, childrenOf(reflect.TypeFor[Exporter](), n.path)
		case "strings":
			n.kind = kindStrings
		default:
			n.kind = kindMembers
		}
	default:
		switch t.Kind() {
		case reflect.Bool:
			n.kind = kindBool
		case reflect.Int:
			n.kind = kindInt
		case reflect.Struct:
			n.kind, n.children = kindTable, childrenOf(t, n.path)
		default:
			n.kind = kindString
		}
	}
}

// settings returns the keys that hold one value and have a default, in the order of the struct: what the
// environment and overrides can set. The exporter is one of them.
func (n *node) settings() []*node {
	var nodes []*node
	for _, c := range n.children {
		switch {
		case c.ignored:
		case c.kind == kindTable:
			nodes = append(nodes, c.settings()...)
		default:
			nodes = append(nodes, c)
		}
	}
	return nodes
}

// child returns the child called name, nil if there is none.
func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// names returns the keys of the children.
func (n *node) names() []string {
	names := make([]string, len(n.children))
	for i, c := range n.children {
		names[i] = c.name
	}
	return names
}

// find returns the path of the first key called name anywhere under n, leaving out what is ignored.
func (n *node) find(name string) string {
	for _, c := range n.children {
		if c.ignored {
			continue
		}
		if c.name == name {
			return c.path
		}
		if path := c.find(name); path != "" {
			return path
		}
	}
	return ""
}

// variable is the environment variable of a setting.
func (n *node) variable() string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(n.path))
}

func tagInt(tag reflect.StructTag, key string) int64 {
	// Tags are constants of this package; a test reads them all.
	i, _ := strconv.ParseInt(tag.Get(key), 10, 64)
	return i
}
