package events

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/events.md")

const referencePath = "../docs/events.md"

// The reference page is made of testdata/events.md.tmpl, the tags of the structs
// and records that went through the encoder.
func TestReferencePage(t *testing.T) {
	tmpl, err := template.New("events.md.tmpl").Funcs(template.FuncMap{
		"common":     commonTable,
		"event":      eventTable,
		"limits":     func() string { return tableHead + rows(&RateLimits{}) },
		"example":    exampleJSON,
		"habits":     habitTable,
		"texts":      streamErrorTable,
		"clientOnly": func() string { return codeList(clientOnly) },
		"proxyOnly":  func() string { return codeList(proxyOnly) },
		"limit":      func() string { return strconv.Itoa(DefaultMaxValueBytes>>10) + " KiB" },
		"bodyLimit":  func() int { return maxBodyBytes },
		"mark":       func() string { return Truncate("", 0, 1048576) },
	}).ParseFiles("testdata/events.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := tmpl.Execute(&page, nil); err != nil {
		t.Fatal(err)
	}
	for _, event := range catalogue() {
		if name := event.EventName(); !strings.Contains(page.String(), "\n### `"+name+"`\n") {
			t.Errorf("the page has no section for %s", name)
		}
	}
	checkTables(t, page.String())
	if *update {
		if err := os.WriteFile(referencePath, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page.String()); diff != "" {
		t.Errorf("docs/events.md is not up to date; run go test ./events -update (-page +code):\n%s", diff)
	}
}

// checkTables checks that all rows of a table have as many cells as its head.
func checkTables(t *testing.T, page string) {
	t.Helper()
	cells := 0
	for i, text := range strings.Split(page, "\n") {
		if !strings.HasPrefix(text, "|") {
			cells = 0
			continue
		}
		got := strings.Count(strings.ReplaceAll(text, `\|`, ""), "|")
		if cells != 0 && got != cells {
			t.Errorf("line %d of the page has %d separators; want %d: %s", i+1, got, cells, text)
		}
		cells = got
	}
}

func TestCell(t *testing.T) {
	for in, want := range map[string]string{"": "", "a | b": `a \| b`, "[REDACTED] <x>": `\[REDACTED] \<x>`, "plain": "plain"} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q; want %q", in, got, want)
		}
	}
}

// cell returns text that Markdown shows as it is, inside a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "[", `\[`, "<", `\<`, "*", `\*`, "_", `\_`).Replace(text)
}

const tableHead = "| Attribute | Type | In schema `codex` | Unit | Meaning | Absent when | Compared with Codex |\n" +
	"|---|---|---|---|---|---|---|\n"

// row returns one row of a table of attributes.
func row(name, typ, codex, unit, doc, absent, differs string) string {
	if unit != "" {
		unit = "`" + unit + "`"
	}
	if absent == "" {
		absent = "never"
	}
	if differs == "" {
		differs = "the same"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s | %s |\n", name, typ, codex, unit, cell(doc), cell(absent), cell(differs))
}

// rows returns the attributes of a struct as rows of a table.
func rows(v any) string {
	var b strings.Builder
	for _, f := range planFor(reflect.TypeOf(v).Elem()) {
		if of := reflect.TypeOf(v).Elem().Field(f.index[0]); of.Type == reflect.TypeFor[*RateLimits]() {
			continue // They have a table of their own.
		}
		typ := map[fieldKind]string{
			kindString: "string", kindOptString: "string", kindBoolText: "string",
			kindInt: "int", kindOptInt: "int", kindBool: "bool", kindOptBool: "bool", kindOptDouble: "double",
		}[f.kind]
		codex := typ
		if f.asText {
			codex = "string"
		}
		b.WriteString(row(f.name, typ, codex, f.tag.Get("unit"), f.tag.Get("doc"), f.tag.Get("absent"), f.tag.Get("differs")))
	}
	return b.String()
}

func commonTable() string {
	return tableHead +
		row("event.name", "string", "string", "", "Name of the event, such as codex.api_request.", "", "") +
		row("event.timestamp", "string", "string", "", "When the fact was observed: RFC 3339 in UTC with exactly three fractional digits.", "", "Codex takes the time at the agent") +
		rows(&Scope{}) +
		row("telemetry.source", "string", "string", "", "Who saw the fact: wire (read from the traffic), agent (reported by the agent) or both.", "", "not in Codex") +
		row(keyDisagreement, "string", "string", "", "Names of the attributes of which the traffic and the agent told different things, joined with a comma and a space.", "they told the same, or one of them told it", "not in Codex") +
		row("event.id", "string", "string", "", "Id of the fact, equal when the same fact is told twice.", "the fact has no id", "not in Codex")
}

func eventTable(name string) (string, error) {
	for _, event := range catalogue() {
		if event.EventName() == name {
			return tableHead + rows(event), nil
		}
	}
	return "", fmt.Errorf("no event %s in the catalogue", name)
}

func habitTable() string {
	var b strings.Builder
	b.WriteString("| From Codex | Until before | What is so |\n|---|---|---|\n")
	for _, h := range habits() {
		since, until := h.since, h.until
		if since == "" {
			since = "the first"
		}
		if until == "" {
			until = "—"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", since, until, h.means)
	}
	return b.String()
}

func streamErrorTable() string {
	var b strings.Builder
	b.WriteString("| From Codex | `error.message` of a broken stream |\n|---|---|\n")
	last := ""
	for minor := 40; minor < 1000; minor++ {
		p := CodexProfile(fmt.Sprintf("0.%d.0", minor))
		told := p.StreamErrorText()
		if p.StreamErrorNamesRay() {
			told += ", request id: 8f0abc-SJC"
		}
		if told == last {
			continue
		}
		since := fmt.Sprintf("0.%d", minor)
		if last == "" {
			since = "the first"
		}
		fmt.Fprintf(&b, "| %s | `%s` |\n", since, told)
		last = told
	}
	return b.String()
}

func codeList(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
