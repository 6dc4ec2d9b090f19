package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

const (
	// durationPattern is what time.ParseDuration takes, without a minus sign.
	durationPattern = `^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	// referencePattern finds a variable reference, behind which a string may be anything.
	referencePattern = `\$\{`
)

// Schema returns the JSON Schema (draft 2020-12) of the configuration file, for editors. It knows keys, types,
// enumerations and limits; what a value means only [Load] checks.
func Schema() ([]byte, error) {
	schema := tableSchema(root(), reflect.ValueOf(Default()))
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "codex-proxy configuration"
	document, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return append(document, '\n'), nil
}

// tableSchema describes a table. defaults is its struct, or invalid inside an optional table.
func tableSchema(n *node, defaults reflect.Value) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, c := range n.children {
		var value reflect.Value
		if defaults.IsValid() && !c.ignored {
			value = defaults.Field(c.index)
		}
		property := nodeSchema(c, value)
		property["description"] = describe(c, value.IsValid())
		properties[c.name] = property
		if c.required {
			required = append(required, c.name)
		}
	}
	schema := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

// describe is the doc of a key, and the variable that sets it.
func describe(n *node, isSetting bool) string {
	if !isSetting || n.kind == kindTable {
		return n.doc
	}
	return n.doc + " Environment: " + n.variable() + "."
}

func nodeSchema(n *node, value reflect.Value) map[string]any {
	var schema map[string]any
	switch n.kind {
	case kindTable:
		return tableSchema(n, value)
	case kindExporter:
		schema = exporterSchema(n)
	case kindBool:
		schema = map[string]any{"type": "boolean"}
	case kindInt:
		schema = map[string]any{"type": "integer", "minimum": n.min, "maximum": n.max}
	case kindDuration:
		schema = orReference(map[string]any{"type": "string", "pattern": durationPattern})
	case kindList:
		schema = map[string]any{"type": "array", "items": map[string]any{"type": "string"}}
	case kindStrings, kindMembers:
		schema = map[string]any{"type": "string"}
		for range map[kind]int{kindStrings: 1, kindMembers: 2}[n.kind] {
			schema = map[string]any{"type": "object", "additionalProperties": schema}
		}
	default:
		schema = map[string]any{"type": "string"}
		if n.required || n.nonempty {
			schema["minLength"] = 1
		}
		if n.enum != nil {
			schema = orReference(map[string]any{"enum": n.enum})
		}
	}
	if fallback := defaultOf(n, value); fallback != nil {
		schema["default"] = fallback
	}
	return schema
}

// exporterSchema is the union of a name and a table with exactly one kind.
func exporterSchema(n *node) map[string]any {
	names := []string{exporterNone}
	if n.ignored {
		names = append(names, exporterStatsig)
	}
	table := tableSchema(n, reflect.Value{})
	table["minProperties"], table["maxProperties"] = 1, 1
	return map[string]any{"anyOf": []any{
		map[string]any{"enum": names},
		map[string]any{"type": "string", "pattern": referencePattern},
		table,
	}}
}

func orReference(schema map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "string", "pattern": referencePattern}}}
}

// defaultOf returns a key's default as TOML has it, nil for none.
func defaultOf(n *node, value reflect.Value) any {
	switch {
	case n.fallback != "":
		return n.fallback
	case !value.IsValid():
		return nil
	case n.kind == kindExporter:
		return exporterNone
	case n.kind == kindDuration:
		return formatDuration(time.Duration(value.Int()))
	case n.kind == kindList:
		return []string{}
	case n.kind == kindString:
		return value.String()
	default:
		return value.Interface()
	}
}
