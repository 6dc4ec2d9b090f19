package report

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/events"
)

func served(t *testing.T, h *Handler) []byte {
	t.Helper()
	server := serve(t, h)
	response, err := server.Client().Get(server.URL + OpenAPIPath)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("GET = %d, %q, %v; want 200, application/json", response.StatusCode, response.Header.Get("Content-Type"), err)
	}
	return body
}

func TestOpenAPIAgreesWithHandler(t *testing.T) {
	h, _ := newTest(t, Config{})
	schemas := newChecker(t, served(t, h))
	for _, row := range itemRows() {
		t.Run(row.name, func(t *testing.T) {
			if row.reason == reasonSyntax && row.beyond {
				return // Not JSON: no schema is asked.
			}
			_, problems := one(h, row.item)
			problem := schemas.checkText("Item", row.item)
			if want := len(problems) == 0 || row.beyond; (problem == "") != want {
				t.Errorf("schema says %q, handler %+v; want them to agree", problem, problems)
			}
			if batch := schemas.checkText("Batch", "["+row.item+"]"); (batch == "") != (problem == "") {
				t.Errorf("schema of a batch says %q, of the item %q", batch, problem)
			}
		})
	}
}

func TestOpenAPIBatches(t *testing.T) {
	h, _ := newTest(t, Config{MaxItems: 3})
	schemas, server := newChecker(t, served(t, h)), serve(t, h)
	for _, test := range []struct {
		name string
		body string
		good bool
	}{
		{"object", goodItem, true},
		{"array", "[" + goodItem + "," + goodItem + "]", true},
		{"empty array", "[]", false},
		{"array within", "[[" + goodItem + "]]", false},
		{"too many", "[" + strings.Repeat(goodItem+",", 3) + goodItem + "]", false},
		{"one bad", "[" + goodItem + ",{}]", false},
		{"string", `"a"`, false},
		{"null", `null`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := post(t, server, strings.NewReader(test.body), "Content-Type", "application/json")
			handler := answer.status == http.StatusAccepted && answer.Rejected == 0
			problem := schemas.checkText("Batch", test.body)
			if handler != test.good || (problem == "") != test.good {
				t.Errorf("handler = %t, schema = %q; want %t of both", handler, problem, test.good)
			}
		})
	}
}

func TestOpenAPIDescribesAnswers(t *testing.T) {
	h, _ := newTest(t, Config{})
	server, schemas := serve(t, h), newChecker(t, served(t, h))
	mistakes, err := os.ReadFile("testdata/mistakes.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{goodItem, "", "{}", string(mistakes), strings.Repeat("{}\n", 300)} {
		response, err := server.Client().Post(server.URL+EventsPath, "application/jsonl", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if problem := schemas.checkText("Answer", string(answer)); problem != "" {
			t.Errorf("answer %s: %s", answer, problem)
		}
	}
	if problem := schemas.checkText("Answer", `{"accepted":"1"}`); problem == "" {
		t.Error("the schema of answers takes anything")
	}
}

func TestOpenAPIDocument(t *testing.T) {
	h, _ := newTest(t, Config{})
	body := served(t, h)
	var document struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			Responses   map[string]any `json:"responses"`
			RequestBody struct {
				Content map[string]any `json:"content"`
			} `json:"requestBody"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" {
		t.Errorf("openapi = %q; want 3.1.0", document.OpenAPI)
	}
	operation := document.Paths[EventsPath]["post"]
	for _, status := range []string{"202", "400", "405", "408", "413", "415"} {
		if operation.Responses[status] == nil {
			t.Errorf("no response %s", status)
		}
	}
	for mediaType := range operation.RequestBody.Content {
		if _, err := formatOf(http.Header{"Content-Type": {mediaType}}); err != nil {
			t.Errorf("documented %s: %v", mediaType, err)
		}
	}
	text := string(body)
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, schemaPath)
		if !ok {
			break
		}
		name, _, _ := strings.Cut(after, `"`)
		if document.Components.Schemas[name] == nil {
			t.Errorf("reference to %s, which is not there", name)
		}
		rest = after
	}
}

func TestOpenAPIFollowsLimits(t *testing.T) {
	h, _ := newTest(t, Config{MaxFieldBytes: 10})
	schemas := newChecker(t, served(t, h))
	for length, want := range map[int]bool{10: true, 11: false} {
		item := bare("user_prompt", `,"prompt":"`+strings.Repeat("p", length)+`"`)
		_, problems := one(h, item)
		if got := schemas.checkText("Item", item) == ""; got != want || (len(problems) == 0) != want {
			t.Errorf("prompt of %d: schema %t, handler %+v; want %t of both", length, got, problems, want)
		}
	}
}

func TestOpenAPIMethods(t *testing.T) {
	h, _ := newTest(t, Config{})
	server := serve(t, h)
	for method, want := range map[string]int{http.MethodHead: 200, http.MethodPost: 405, http.MethodDelete: 405} {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+OpenAPIPath, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want || (want == 405) != (response.Header.Get("Allow") == "GET, HEAD") {
			t.Errorf("%s = %d, Allow %q; want %d", method, response.StatusCode, response.Header.Get("Allow"), want)
		}
	}
}

// TestCatalogFollowsEvents holds the rules that the struct tags cannot say
// against the tags.
func TestCatalogFollowsEvents(t *testing.T) {
	c := newCatalog(DefaultMaxFieldBytes)
	constrained := map[string]bool{}
	for _, e := range c.entries {
		for _, a := range e.own {
			if a.doc == "" {
				t.Errorf("%s %s has no doc", e.name, a.name)
			}
			for _, value := range a.values {
				constrained[a.name] = true
				if !strings.Contains(a.doc, value) {
					t.Errorf("%s %s: the catalogue does not name %s", e.name, a.name, value)
				}
			}
		}
	}
	if !constrained["decision"] || !constrained["source"] || len(constrained) != 2 {
		t.Errorf("constrained = %v; want decision and source", constrained)
	}
	if len(c.common) < 10 || len(c.entries) != len((&counters{}).accepted) {
		t.Errorf("%d common attributes, %d events; want all", len(c.common), len(c.entries))
	}
	for _, e := range c.entries {
		if len(e.attributes)+1 > maxKeys {
			t.Errorf("%s has more than %d keys", e.name, maxKeys)
		}
		want := map[string]string{
			events.NameConversationStarts: "conversation.id",
			events.NameUserPrompt:         "conversation.id",
			events.NameToolDecision:       "conversation.id tool_name call_id decision",
			events.NameToolResult:         "conversation.id tool_name success",
		}[e.name]
		if got := strings.Join(e.required, " "); got != want {
			t.Errorf("%s requires %q; want %q", e.name, got, want)
		}
	}
}
