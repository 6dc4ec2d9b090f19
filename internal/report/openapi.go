package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// document is an OpenAPI 3.1 document with what this one needs of it.
type document struct {
	OpenAPI    string              `json:"openapi"`
	Info       info                `json:"info"`
	Paths      map[string]pathItem `json:"paths"`
	Components components          `json:"components"`
}

type info struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

type pathItem struct {
	Post operation `json:"post"`
}

type operation struct {
	OperationID string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Description string              `json:"description"`
	Parameters  []parameter         `json:"parameters"`
	RequestBody requestBody         `json:"requestBody"`
	Responses   map[string]response `json:"responses"`
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description"`
	Schema      *schema `json:"schema"`
}

type requestBody struct {
	Required bool                 `json:"required"`
	Content  map[string]mediaType `json:"content"`
}

type response struct {
	Description string               `json:"description"`
	Content     map[string]mediaType `json:"content"`
}

type mediaType struct {
	Schema     *schema `json:"schema"`
	ItemSchema *schema `json:"x-item-schema,omitempty"`
}

type components struct {
	Schemas map[string]*schema `json:"schemas"`
}

const schemaPath = "#/components/schemas/"

// newDocument describes the events endpoint as a handler with this catalog and
// these limits behaves.
func newDocument(c catalog, config Config) []byte {
	item := &schema{
		Description:   "One event. Keys are written once; strings are UTF-8; numbers are written without exponent.",
		Discriminator: &discriminator{PropertyName: keyName, Mapping: make(map[string]string)},
	}
	schemas := map[string]*schema{"Item": item, "Answer": structSchema(reflect.TypeFor[Answer]())}
	for _, e := range c.entries {
		name := e.typ.Name()
		schemas[name] = e.schema()
		item.OneOf = append(item.OneOf, &schema{Ref: schemaPath + name})
		for _, spelled := range e.spelledNames() {
			item.Discriminator.Mapping[spelled] = schemaPath + name
		}
	}
	schemas["Batch"] = &schema{
		Description: "One item or an array of them. Items are judged one by one: the good ones of a batch are accepted.",
		OneOf: []*schema{
			{Ref: schemaPath + "Item"},
			{Type: "array", Items: &schema{Ref: schemaPath + "Item"}, MinItems: 1, MaxItems: config.MaxItems},
		},
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	// Strings, numbers and maps of them always encode.
	_ = encoder.Encode(document{
		OpenAPI: "3.1.0",
		Info: info{
			Title:       "codex-proxy reports",
			Description: "What an agent tells of itself: events of the catalogue that the traffic cannot show.",
			Version:     "1",
		},
		Paths: map[string]pathItem{
			EventsPath: {Post: reportOperation(config)},
			LogsPath:   {Post: logsOperation(config)},
		},
		Components: components{Schemas: schemas},
	})
	return buffer.Bytes()
}

func reportOperation(config Config) operation {
	lines := mediaType{
		Schema:     &schema{Type: "string", Description: "One item a line; a broken line is one rejected item."},
		ItemSchema: &schema{Ref: schemaPath + "Item"},
	}
	return operation{
		OperationID: "reportEvents",
		Summary:     "Report events",
		Description: fmt.Sprintf(
			"Items are judged one by one. At most %d items and %d bytes in one request, before and after inflation "+
				"(Content-Encoding: gzip).", config.MaxItems, config.MaxBodyBytes,
		),
		Parameters: []parameter{{
			Name: "Idempotency-Key", In: "header",
			Description: "Makes the event.id of every item the same when the request is sent again, " +
				"so that a second delivery can be told from a second event.",
			Schema: &schema{Type: "string", Pattern: `^[\x21-\x7e]+$`, MinLength: 1, MaxLength: maxKeyBytes},
		}},
		RequestBody: requestBody{Required: true, Content: map[string]mediaType{
			"application/json":     {Schema: &schema{Ref: schemaPath + "Batch"}},
			"application/x-ndjson": lines,
			"application/jsonl":    lines,
		}},
		Responses: answers(map[int]string{
			http.StatusAccepted:              "At least one item was accepted, and is on disk unless the answer says otherwise.",
			http.StatusBadRequest:            "Nothing could be read, or every item was rejected.",
			http.StatusMethodNotAllowed:      "Only POST is understood.",
			http.StatusRequestTimeout:        "The body took too long to arrive.",
			http.StatusRequestEntityTooLarge: "Too many bytes or items; nothing was recorded.",
			http.StatusUnsupportedMediaType:  "Neither JSON nor NDJSON in UTF-8, or an encoding other than gzip.",
			http.StatusInternalServerError:   "A mistake of codex-proxy; some items may have been recorded.",
		}),
	}
}

// logsOperation describes the logs endpoint as far as OTLP leaves anything open.
func logsOperation(config Config) operation {
	body := func(message string) map[string]mediaType {
		return map[string]mediaType{
			"application/x-protobuf": {Schema: &schema{Type: "string", Format: "binary", Description: message + " in protobuf."}},
			"application/json":       {Schema: &schema{Type: "object", Description: message + " in OTLP/JSON."}},
		}
	}
	responses := map[string]response{fmt.Sprint(http.StatusOK): {
		Description: "Taken, but for the records that partial_success tells of. What is taken is on disk unless its message says otherwise.",
		Content:     body("opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse"),
	}}
	for status, description := range map[int]string{
		http.StatusBadRequest:            "The body is not what its Content-Type says; nothing was recorded.",
		http.StatusMethodNotAllowed:      "Only POST is understood.",
		http.StatusRequestTimeout:        "The body took too long to arrive.",
		http.StatusRequestEntityTooLarge: "Too many bytes or records; nothing was recorded.",
		http.StatusUnsupportedMediaType:  "Neither protobuf nor JSON, or an encoding other than gzip.",
		http.StatusInternalServerError:   "A mistake of codex-proxy; some records may have been taken.",
	} {
		responses[fmt.Sprint(status)] = response{Description: description, Content: body("google.rpc.Status")}
	}
	return operation{
		OperationID: "exportLogs",
		Summary:     "Export logs over OTLP/HTTP",
		Description: fmt.Sprintf(
			"Codex's own exporter may send its telemetry here. At most %d records and %d bytes in one request, before and after "+
				"inflation (Content-Encoding: gzip); a record of more than %d bytes, %d values or %d levels is rejected.",
			config.MaxItems, config.MaxBodyBytes, 2*config.MaxFieldBytes, maxRecordValues, maxDepth,
		),
		Parameters:  []parameter{},
		RequestBody: requestBody{Required: true, Content: body("opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest")},
		Responses:   responses,
	}
}

func answers(descriptions map[int]string) map[string]response {
	content := map[string]mediaType{"application/json": {Schema: &schema{Ref: schemaPath + "Answer"}}}
	responses := make(map[string]response, len(descriptions))
	for status, description := range descriptions {
		responses[fmt.Sprint(status)] = response{Description: description, Content: content}
	}
	return responses
}

// OpenAPI returns the handler of OpenAPIPath: the OpenAPI 3.1 document of the
// events endpoint, for GET and HEAD.
func (h *Handler) OpenAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", strings.Join([]string{http.MethodGet, http.MethodHead}, ", "))
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		header.Set("Content-Type", "application/json")
		header.Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodGet {
			_, _ = w.Write(h.openAPI)
		}
	})
}
