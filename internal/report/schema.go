package report

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// schema is the part of JSON Schema 2020-12 that the document needs.
type schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 string             `json:"type,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Const                string             `json:"const,omitempty"`
	Format               string             `json:"format,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	MinLength            int                `json:"minLength,omitempty"`
	MaxLength            int                `json:"maxLength,omitempty"`
	Minimum              *int64             `json:"minimum,omitempty"`
	Maximum              int64              `json:"maximum,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties *bool              `json:"additionalProperties,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	MinItems             int                `json:"minItems,omitempty"`
	MaxItems             int                `json:"maxItems,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	Not                  *schema            `json:"not,omitempty"`
	Unit                 string             `json:"x-unit,omitempty"`
	Discriminator        *discriminator     `json:"discriminator,omitempty"`
}

// discriminator is OpenAPI's: which schema an item is to be read with.
type discriminator struct {
	PropertyName string            `json:"propertyName"`
	Mapping      map[string]string `json:"mapping"`
}

// schema returns what the handler checks about one value.
func (a *attribute) schema() *schema {
	s := &schema{Description: a.doc, Unit: a.unit}
	switch {
	case a.kind == kindInteger:
		number := &schema{Type: "integer", Minimum: new(int64(0)), Maximum: maxInteger}
		if a.digits {
			digits := &schema{
				Type: "string", Pattern: "^[0-9]+$", MinLength: 1, MaxLength: maxDigits,
				Description: "The number in decimal digits, as Codex writes it.",
			}
			s.AnyOf = []*schema{number, digits}
			return s
		}
		number.Description, number.Unit = s.Description, s.Unit
		return number
	case a.kind == kindBoolean:
		s.AnyOf = []*schema{{Type: "boolean"}, {Type: "string", Enum: []string{"true", "false"}}}
	case a.values != nil:
		s.AnyOf = []*schema{
			{Type: "string", Enum: a.values},
			{Type: "string", Pattern: a.anyCasePattern(), Description: "Any case of letters, and Codex's other spellings."},
		}
	default:
		s.Type = "string"
		s.MaxLength = a.maxBytes
		if a.pattern != nil {
			s.Pattern = a.pattern.String()
		}
		if a.name == keyTimestamp {
			s.Format = "date-time"
		}
		if a.nonEmpty {
			s.MinLength = 1
		}
	}
	return s
}

// anyCasePattern matches the values and their other spellings. The dialect of
// JSON Schema has no flag for case.
func (a *attribute) anyCasePattern() string {
	var b strings.Builder
	b.WriteString("^(")
	spellings := slices.Concat(a.values, slices.Sorted(maps.Keys(a.aliases)))
	for i, spelling := range spellings {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, char := range spelling {
			upper := strings.ToUpper(string(char))
			if upper == string(char) {
				b.WriteString(regexp.QuoteMeta(upper))
				continue
			}
			b.WriteString("[" + upper + string(char) + "]")
		}
	}
	b.WriteString(")$")
	return b.String()
}

// schema returns what the handler checks about an item of this event.
func (e *entry) schema() *schema {
	s := &schema{
		Title:                e.name,
		Description:          e.doc,
		Type:                 "object",
		Properties:           map[string]*schema{keyName: {Type: "string", Enum: e.spelledNames()}},
		Required:             append([]string{keyName}, e.required...),
		AdditionalProperties: new(false),
	}
	for name, a := range e.attributes {
		s.Properties[name] = a.schema()
	}
	if e.name == events.NameUserPrompt {
		s.AnyOf = []*schema{
			{Required: []string{"prompt_length"}},
			{
				Required:   []string{"prompt"},
				Properties: map[string]*schema{"prompt": {Not: &schema{Const: events.Redacted}}},
			},
		}
	}
	return s
}

func (e *entry) spelledNames() []string {
	return []string{e.name, strings.TrimPrefix(e.name, namePrefix)}
}

// structSchema describes a struct that the handler answers with.
func structSchema(t reflect.Type) *schema {
	s := &schema{Type: "object", Properties: make(map[string]*schema)}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		property := &schema{}
		switch field.Type.Kind() {
		case reflect.Int:
			property = &schema{Type: "integer", Minimum: new(int64(0))}
		case reflect.String:
			property.Type = "string"
		case reflect.Bool:
			property.Type = "boolean"
		default: // A slice of structs.
			property = &schema{Type: "array", Items: structSchema(field.Type.Elem()), MaxItems: maxErrors}
		}
		property.Description = field.Tag.Get("doc")
		s.Properties[name] = property
		if options == "" {
			s.Required = append(s.Required, name)
		}
	}
	return s
}
