package events

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
)

// catalogue returns a zero value of every event, in the order of the reference
// page.
func catalogue() []Event {
	return []Event{
		&ConversationStarts{},
		&UserPrompt{},
		&APIRequest{},
		&SSEEvent{},
		&WebSocketConnect{},
		&WebSocketRequest{},
		&WebSocketEvent{},
		&ToolDecision{},
		&ToolResult{},
	}
}

// fill sets every field of the struct that v points to: strings to the value
// that text makes of the field's name, numbers to 7, embedded pointers to filled
// structs. Fields without an attribute keep their zero value.
func fill(v reflect.Value, text func(field string) string) {
	v = v.Elem()
	for i := range v.NumField() {
		structField, field := v.Type().Field(i), v.Field(i)
		if structField.Anonymous {
			field.Set(reflect.New(structField.Type.Elem()))
			fill(field, text)
			continue
		}
		if structField.Tag.Get("attr") == "" {
			continue
		}
		if field.Kind() == reflect.Struct {
			field.FieldByName("Set").SetBool(true)
			field = field.FieldByName("Value")
		}
		switch field.Kind() {
		case reflect.String:
			field.SetString(text(structField.Name))
		case reflect.Int64:
			field.SetInt(7)
		case reflect.Float64:
			field.SetFloat(7.5)
		default:
			field.SetBool(true)
		}
	}
}

func fieldName(name string) string { return name }

// full returns a record of a filled copy of the event in a filled scope.
func full(event Event) Record {
	filled := reflect.New(reflect.TypeOf(event).Elem())
	fill(filled, fieldName)
	scope := &Scope{Resource: &Resource{ServiceName: "codex-cli"}}
	fill(reflect.ValueOf(scope), fieldName)
	return Record{
		Event: filled.Interface().(Event),
		Scope: scope,
		Time:  time.Date(2026, 8, 19, 12, 30, 1, 234567890, time.UTC),
		ID:    ID("full"),
	}
}

// encode returns the attributes of every record that the schema makes of r.
func encode(e *Encoder, r Record) [][]attribute.KeyValue {
	var told [][]attribute.KeyValue
	e.Expand(r, func(r Record) { told = append(told, e.Attributes(nil, r)) })
	return told
}

// values returns attributes as a map, and fails on a key that comes twice.
func values(t *testing.T, attrs []attribute.KeyValue) map[string]any {
	t.Helper()
	m := make(map[string]any, len(attrs))
	for _, attr := range attrs {
		if _, twice := m[string(attr.Key)]; twice {
			t.Errorf("attribute %q comes twice", attr.Key)
		}
		m[string(attr.Key)] = attr.Value.AsInterface()
	}
	return m
}

func TestCatalogueIsComplete(t *testing.T) {
	var want []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if method, ok := decl.(*ast.FuncDecl); ok && method.Recv != nil && method.Name.Name == "EventName" {
				want = append(want, method.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
			// A Foreign is what the catalogue does not have.
			want = slices.DeleteFunc(want, func(name string) bool { return name == "Foreign" })
		}
	}
	var got []string
	for _, event := range catalogue() {
		got = append(got, reflect.TypeOf(event).Elem().Name())
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("catalogue() (-source +catalogue):\n%s", diff)
	}
}

func TestNamesAreTheCatalogues(t *testing.T) {
	var want []string
	for _, event := range catalogue() {
		want = append(want, event.EventName())
	}
	if diff := cmp.Diff(want, Names()); diff != "" {
		t.Errorf("Names() (-catalogue +got):\n%s", diff)
	}
}

func TestCatalogueEncodes(t *testing.T) {
	for _, event := range catalogue() {
		for _, schema := range []Schema{SchemaTyped, SchemaCodex} {
			e := &Encoder{Schema: schema}
			zero := Record{Event: event, Scope: &Scope{}}
			for _, attrs := range slices.Concat(encode(e, zero), encode(e, full(event))) {
				got := values(t, attrs)
				if got["event.name"] != event.EventName() {
					t.Errorf("event.name = %v; want %s", got["event.name"], event.EventName())
				}
				for _, attr := range attrs {
					if !attr.Valid() {
						t.Errorf("%s: invalid attribute %q", event.EventName(), attr.Key)
					}
				}
			}
		}
	}
}

func TestCatalogueFullEventHasEveryAttribute(t *testing.T) {
	e := &Encoder{}
	for _, event := range catalogue() {
		got := values(t, encode(e, full(event))[0])
		for _, s := range []any{event, &Scope{}} {
			for _, f := range planFor(reflect.TypeOf(s).Elem()) {
				if _, ok := got[f.name]; !ok {
					t.Errorf("%s lacks %s", event.EventName(), f.name)
				}
			}
		}
	}
}

// A field tells in its tags when it is absent if and only if it can be.
func TestCatalogueTags(t *testing.T) {
	for _, s := range append([]any{&Scope{}}, anys(catalogue())...) {
		typ := reflect.TypeOf(s).Elem()
		for _, f := range planFor(typ) {
			field := typ.Name() + " " + f.name
			optional := f.omit || f.kind >= kindOptString || len(f.index) > 1
			if absent := f.tag.Get("absent"); (absent != "") != optional {
				t.Errorf("%s: absent = %q; optional = %t", field, absent, optional)
			}
			if f.tag.Get("doc") == "" {
				t.Errorf("%s has no doc", field)
			}
			for _, key := range []string{"doc", "absent", "differs", "unit"} {
				if strings.ContainsAny(f.tag.Get(key), "\n\t") {
					t.Errorf("%s: %s does not fit a table cell", field, key)
				}
			}
			if numeric := f.kind == kindInt || f.kind == kindOptInt; f.asText && !numeric {
				t.Errorf("%s: only numbers change their type in the codex schema", field)
			}
			if f.asText && !strings.Contains(f.tag.Get("differs"), "a string in Codex") {
				t.Errorf("%s: differs does not tell that Codex has a string", field)
			}
		}
	}
}

func TestPlanRefusesUnknownTypes(t *testing.T) {
	type mistake struct {
		Ratio float64 `attr:"ratio"`
	}
	defer func() {
		const want = "events: field Ratio has unsupported type float64"
		if got := recover(); got != want {
			t.Errorf("recover() = %v; want %s", got, want)
		}
	}()
	planFor(reflect.TypeFor[mistake]())
	t.Error("planFor accepted a float64")
}

func anys(events []Event) []any {
	list := make([]any, len(events))
	for i, event := range events {
		list[i] = event
	}
	return list
}
