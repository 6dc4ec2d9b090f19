package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

const schemaFile = "../docs/config.schema.json"

var update = flag.Bool("update", false, "write "+schemaFile)

func TestSchemaFile(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what Schema returns; run go test ./config -run TestSchemaFile -update", schemaFile)
	}
}

// TestSchemaHasEveryField walks the struct by itself, not by the tree the schema is made from.
func TestSchemaHasEveryField(t *testing.T) {
	fields := 0
	var walk func(path string, t reflect.Type, schema map[string]any)
	walk = func(path string, structType reflect.Type, schema map[string]any) {
		properties, _ := schema["properties"].(map[string]any)
		for field := range structType.Fields() {
			if !field.IsExported() {
				continue
			}
			fields++
			tag := field.Tag.Get("mapstructure")
			property, ok := properties[tag].(map[string]any)
			if tag == "" || !ok || property["description"] == "" || property["description"] == nil {
				t.Errorf("field %s.%s has no tag, no property or no description", path, field.Name)
				continue
			}
			for _, limit := range []string{"min", "max"} {
				if text, ok := field.Tag.Lookup(limit); ok && fmt.Sprint(tagInt(field.Tag, limit)) != text {
					t.Errorf("field %s.%s: %s = %q is no number", path, field.Name, limit, text)
				}
			}
			fieldType := field.Type
			if fieldType.Kind() == reflect.Pointer {
				fieldType = fieldType.Elem()
			}
			if fieldType == reflect.TypeFor[Exporter]() {
				alternatives, _ := property["anyOf"].([]any)
				property, _ = alternatives[len(alternatives)-1].(map[string]any)
			}
			if fieldType.Kind() == reflect.Struct && fieldType != reflect.TypeFor[Ignored]() {
				walk(path+"."+field.Name, fieldType, property)
			}
		}
	}
	walk("Config", reflect.TypeFor[Config](), parseSchema(t))
	if fields < 60 {
		t.Errorf("saw %d fields; want all", fields)
	}
}

// TestSchemaAgreesWithLoad has the schema judge the corpora. What only Load can know is in testdata/meaning.
func TestSchemaAgreesWithLoad(t *testing.T) {
	schema := parseSchema(t)
	for corpus, accepts := range map[string]bool{"accepted": true, "codex": true, "meaning": true, "refused": false} {
		names, err := filepath.Glob("testdata/" + corpus + "/*.toml")
		if err != nil || names == nil {
			t.Fatalf("Glob = %v, %v", names, err)
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				var parsed map[string]any
				if err := toml.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &parsed); err != nil {
					t.Fatal(err)
				}
				if complaint := violates(schema, parsed); (complaint == "") != accepts {
					t.Errorf("schema says %q; want accepted: %t", complaint, accepts)
				}
			})
		}
	}
}

func TestSchemaDefaultsAreValid(t *testing.T) {
	schema := parseSchema(t)
	cfg := Default()
	shown, err := cfg.TOML()
	if err != nil {
		t.Fatal(err)
	}
	var parsed map[string]any
	if err := toml.Unmarshal(shown, &parsed); err != nil {
		t.Fatal(err)
	}
	if complaint := violates(schema, parsed); complaint != "" {
		t.Errorf("schema says %q about the defaults", complaint)
	}
	var walk func(path string, schema map[string]any, value any)
	walk = func(path string, schema map[string]any, value any) {
		if fallback, ok := schema["default"]; ok && fmt.Sprint(fallback) != fmt.Sprint(value) {
			t.Errorf("%s: default %v; want %v", path, fallback, value)
		}
		table, _ := value.(map[string]any)
		for name, property := range table {
			walk(path+"."+name, schema["properties"].(map[string]any)[name].(map[string]any), property)
		}
	}
	walk("", schema, parsed)
}

func TestDurationPatternAgreesWithParser(t *testing.T) {
	pattern := regexp.MustCompile(durationPattern)
	for _, s := range []string{
		"0", "+0", "1s", "+1s", "1.5h", "1.s", ".5s", "1h2m3s", "3µs", "3μs", "7ns", "", "+", "1", "s", "1 s", "1S", "1d", ".s", "1..5s", "0x1s", "00", "1s1",
	} {
		_, err := time.ParseDuration(s)
		if got, want := pattern.MatchString(s), err == nil; got != want && s != "00" {
			t.Errorf("pattern matches %q: %t; ParseDuration accepts it: %t", s, got, want)
		}
	}
}

func parseSchema(t *testing.T) map[string]any {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var schema map[string]any
	if err := decoder.Decode(&schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// violates judges value by the part of JSON Schema that Schema uses. It returns the first violation, "" for none.
// A keyword it does not know is a violation, so that nothing goes unjudged.
func violates(schema map[string]any, value any) string {
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		if complaint := violatesKeyword(schema, keyword, value); complaint != "" {
			return complaint
		}
	}
	return ""
}

func violatesKeyword(schema map[string]any, keyword string, value any) string {
	argument := schema[keyword]
	table, isTable := value.(map[string]any)
	text, isText := value.(string)
	number, isNumber := value.(int64)
	failed := false
	switch keyword {
	case "$schema", "title", "description", "default":
	case "type":
		_, isBool := value.(bool)
		_, isArray := value.([]any)
		failed = !map[string]bool{"object": isTable, "string": isText, "integer": isNumber, "boolean": isBool, "array": isArray}[argument.(string)]
	case "enum":
		failed = !slices.Contains(argument.([]any), value)
	case "pattern":
		failed = isText && !regexp.MustCompile(argument.(string)).MatchString(text)
	case "minLength":
		failed = isText && utf8.RuneCountInString(text) < int(limit(argument))
	case "minimum":
		failed = isNumber && number < limit(argument)
	case "maximum":
		failed = isNumber && number > limit(argument)
	case "minProperties":
		failed = isTable && len(table) < int(limit(argument))
	case "maxProperties":
		failed = isTable && len(table) > int(limit(argument))
	case "required":
		for _, name := range argument.([]any) {
			_, present := table[name.(string)]
			failed = failed || isTable && !present
		}
	case "anyOf":
		failed = !slices.ContainsFunc(argument.([]any), func(s any) bool { return violates(s.(map[string]any), value) == "" })
	case "items":
		array, _ := value.([]any)
		failed = slices.ContainsFunc(array, func(v any) bool { return violates(argument.(map[string]any), v) != "" })
	case "properties":
		for name, property := range argument.(map[string]any) {
			if v, present := table[name]; present {
				if complaint := violates(property.(map[string]any), v); complaint != "" {
					return name + ": " + complaint
				}
			}
		}
	case "additionalProperties":
		properties, _ := schema["properties"].(map[string]any)
		for name, v := range table {
			if properties[name] != nil {
				continue
			}
			rest, isSchema := argument.(map[string]any)
			failed = failed || !isSchema || violates(rest, v) != ""
		}
	default:
		return "unknown keyword " + keyword
	}
	if failed {
		return keyword
	}
	return ""
}

func limit(argument any) int64 {
	i, err := argument.(json.Number).Int64()
	if err != nil {
		return -1
	}
	return i
}
