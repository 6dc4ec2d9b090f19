package report

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// checker judges JSON by the schemas of an OpenAPI document, as JSON Schema
// 2020-12 says. It knows the keywords that the document uses and fails on any
// other.
type checker struct {
	schemas map[string]any
}

func newChecker(tb testing.TB, document []byte) checker {
	tb.Helper()
	var parsed struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(document, &parsed); err != nil {
		tb.Fatalf("decode document: %v", err)
	}
	return checker{schemas: parsed.Components.Schemas}
}

// checkText says what a named schema finds wrong with a JSON text, "" for
// nothing.
func (c checker) checkText(name, text string) string {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var instance any
	if err := decoder.Decode(&instance); err != nil {
		return err.Error()
	}
	return c.check(c.schemas[name], instance)
}

func (c checker) check(schema, instance any) string {
	object, ok := schema.(map[string]any)
	if !ok {
		return fmt.Sprintf("no schema: %v", schema)
	}
	for keyword, want := range object {
		if problem := c.keyword(object, keyword, want, instance); problem != "" {
			return problem
		}
	}
	return ""
}

func (c checker) keyword(schema map[string]any, keyword string, want, instance any) string {
	fail := func(ok bool) string {
		if ok {
			return ""
		}
		return fmt.Sprintf("%s %v", keyword, want)
	}
	text, isText := instance.(string)
	object, isObject := instance.(map[string]any)
	array, isArray := instance.([]any)
	switch keyword {
	case "title", "description", "discriminator", "x-unit":
		return ""
	case "$ref":
		return c.check(c.schemas[strings.TrimPrefix(want.(string), schemaPath)], instance)
	case "type":
		return fail(typeOf(instance, want.(string)))
	case "enum":
		return fail(slices.ContainsFunc(want.([]any), func(v any) bool { return reflect.DeepEqual(v, instance) }))
	case "const":
		return fail(reflect.DeepEqual(want, instance))
	case "pattern":
		return fail(!isText || regexp.MustCompile(want.(string)).MatchString(text))
	case "format":
		_, err := time.Parse(time.RFC3339, text)
		return fail(want == "date-time" && (!isText || err == nil))
	case "minLength":
		return fail(!isText || float64(utf8.RuneCountInString(text)) >= want.(float64))
	case "maxLength":
		return fail(!isText || float64(utf8.RuneCountInString(text)) <= want.(float64))
	case "minimum", "maximum":
		return fail(inBound(keyword, want.(float64), instance))
	case "required":
		return fail(!isObject || !slices.ContainsFunc(want.([]any), func(key any) bool {
			_, ok := object[key.(string)]
			return !ok
		}))
	case "properties":
		for key, property := range want.(map[string]any) {
			value, ok := object[key]
			if !ok {
				continue
			}
			if problem := c.check(property, value); problem != "" {
				return key + ": " + problem
			}
		}
		return ""
	case "additionalProperties":
		properties := schema["properties"].(map[string]any)
		for key := range object {
			if _, ok := properties[key]; !ok && want == false {
				return "additional " + key
			}
		}
		return ""
	case "items":
		for _, element := range array {
			if problem := c.check(want, element); problem != "" {
				return problem
			}
		}
		return ""
	case "minItems":
		return fail(!isArray || float64(len(array)) >= want.(float64))
	case "maxItems":
		return fail(!isArray || float64(len(array)) <= want.(float64))
	case "oneOf", "anyOf":
		matches := 0
		problems := []string{keyword}
		for _, branch := range want.([]any) {
			problem := c.check(branch, instance)
			if problem == "" {
				matches++
			}
			problems = append(problems, problem)
		}
		if matches == 1 || keyword == "anyOf" && matches > 1 {
			return ""
		}
		return strings.Join(problems, "; ")
	case "not":
		return fail(c.check(want, instance) != "")
	default:
		return "unknown keyword " + keyword
	}
}

func typeOf(instance any, want string) bool {
	switch v := instance.(type) {
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case json.Number:
		number, _, err := big.ParseFloat(string(v), 10, 256, big.ToNearestEven)
		return want == "number" || want == "integer" && err == nil && number.IsInt()
	default:
		return false
	}
}

func inBound(keyword string, bound float64, instance any) bool {
	v, ok := instance.(json.Number)
	if !ok {
		return true
	}
	number, _, err := big.ParseFloat(string(v), 10, 256, big.ToNearestEven)
	if err != nil {
		return false
	}
	if keyword == "minimum" {
		return number.Cmp(big.NewFloat(bound)) >= 0
	}
	return number.Cmp(big.NewFloat(bound)) <= 0
}
