package responses_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/internal/responses"
)

// inputOf shows a document to an inspector in chunks of a size.
func inputOf(document string, size int, inFlight ...string) *responses.Input {
	inspector := responses.NewInspector(responses.InspectorConfig{
		Items:    true,
		InFlight: func(id []byte) bool { return slices.Contains(inFlight, string(id)) },
	})
	for chunk := range slices.Chunk([]byte(document), max(1, size)) {
		inspector.Write(chunk)
	}
	return inspector.Input()
}

// seen lists the prompts and outputs of an input, those that are not at its end
// in brackets.
func seen(input *responses.Input) []string {
	list := []string{}
	for _, entry := range input.Entries {
		line := entry.CallID + "=" + entry.Output
		if entry.Prompt != nil {
			line = "user: " + entry.Prompt.Text
		}
		if !entry.Tail {
			line = "(" + line + ")"
		}
		list = append(list, line)
	}
	return list
}

// Items as agents send them.
const (
	environment = `{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>\n  <approval_policy>on-request</approval_policy>\n  <sandbox_mode>read-only</sandbox_mode>\n</environment_context>"}]}`
	permissions = `{"type":"message","role":"developer","content":[{"type":"input_text","text":"other"},{"type":"input_text","text":"<permissions instructions>\n` +
		"`sandbox_mode` is `workspace-write`: ...\\nApproval policy is currently never. Do not" + `\n</permissions instructions>"}]}`
	assistant = `{"type":"message","role":"assistant","id":"msg_1","content":[{"type":"output_text","text":"Hello"}]}`
	reasoning = `{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}`
	image     = `{"type":"message","role":"user","content":[{"type":"input_image","image_url":"data:x"}]}`
	viewed    = `{"type":"function_call","name":"view_image","arguments":"{}","call_id":"a"}`
	summary   = `{"type":"message","role":"user","content":[{"type":"input_text","text":"Another language model started to solve this problem and produced a summary of its thinking process. You also"}]}`
)

func user(text string) string {
	return `{"type":"message","role":"user","content":[{"type":"input_text","text":` + fmt.Sprintf("%q", text) + `}]}`
}

func call(id string) string {
	return `{"type":"function_call","name":"shell","arguments":"{\"n\":\"` + id + `\"}","call_id":"` + id + `"}`
}

func output(id string) string {
	return `{"type":"function_call_output","call_id":"` + id + `","output":"out ` + id + `"}`
}

func request(items ...string) string {
	return `{"model":"m","input":[` + strings.Join(items, ",") + `],"stream":true}`
}

func TestInputSeen(t *testing.T) {
	tests := map[string]struct {
		document string
		inFlight []string
		want     []string
	}{
		"first request":             {request(environment, user("hi")), nil, []string{"user: hi"}},
		"text alone":                {`{"input":"hi \"you\""}`, nil, []string{`user: hi "you"`}},
		"message of an SDK":         {`{"input":[{"role":"user","content":"hi"}]}`, nil, []string{"user: hi"}},
		"after an answer":           {request(user("hi"), assistant, user("and?")), nil, []string{"user: and?"}},
		"outputs":                   {request(user("hi"), call("a"), call("b"), output("a"), output("b")), nil, []string{"a=out a", "b=out b"}},
		"output and prompt":         {request(call("a"), output("a"), user("stop")), nil, []string{"a=out a", "user: stop"}},
		"in turns":                  {request(call("a"), output("a"), call("b"), output("b")), nil, []string{"b=out b"}},
		"in turns, both in flight":  {request(call("a"), output("a"), call("b"), output("b")), []string{"a", "b"}, []string{"(a=out a)", "b=out b"}},
		"in flight long ago":        {request(call("a"), output("a"), assistant, user("x")), []string{"a"}, []string{"(a=out a)", "user: x"}},
		"after a summary":           {request(user("old"), summary, environment, user("new")), nil, []string{"user: new"}},
		"after an encrypted one":    {request(user("old"), `{"type":"compaction","encrypted_content":"x"}`, user("new")), nil, []string{"user: new"}},
		"several parts":             {request(`{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:x"},{"type":"input_text","text":"b"}]}`), nil, []string{"user: ab"}},
		"labels around an image":    {request(`{"role":"user","content":[{"type":"input_text","text":"<image name=[Image #1]>"},{"type":"input_image","image_url":"data:x"},{"type":"input_text","text":"</image>"},{"type":"input_text","text":"what?"}]}`), nil, []string{"user: what?"}},
		"a label without an image":  {request(user("<image>")), nil, []string{"user: <image>"}},
		"an image alone":            {request(`{"role":"user","content":[{"type":"input_image","image_url":"data:x"}]}`), nil, []string{"user: "}},
		"an image that was viewed":  {request(viewed, output("a"), image), nil, []string{"a=out a"}},
		"one that cannot be":        {request(viewed, output("a"), user("Codex could not read the local image at `x`: unsupported MIME type")), nil, []string{"a=out a"}},
		"a word after viewing":      {request(viewed, output("a"), image, user("and?")), nil, []string{"a=out a", "user: and?"}},
		"an image after an output":  {request(call("a"), output("a"), image), nil, []string{"a=out a", "user: "}},
		"an image in an output":     {request(`{"type":"function_call_output","call_id":"a","output":[{"type":"input_image","image_url":"data:image/png;base64,aGk="}]}`), nil, []string{"a=<image data URL omitted: 26 bytes>"}},
		"no content":                {request(`{"role":"user"}`, `{"role":"user","content":[]}`, `{"role":"user","content":""}`), nil, []string{}},
		"developer and system":      {request(permissions, `{"role":"system","content":"be kind"}`, user("hi")), nil, []string{"user: hi"}},
		"parts of an output":        {request(`{"type":"custom_tool_call_output","call_id":"a","output":[{"type":"input_text","text":"one"},{"type":"input_image"},{"type":"input_text","text":" "},{"type":"input_text","text":"two"}]}`), nil, []string{"a=one\ntwo"}},
		"output before its id":      {request(`{"output":"x","call_id":"a","type":"function_call_output"}`), nil, []string{"a=x"}},
		"an output that is no text": {request(`{"type":"computer_call_output","call_id":"a","output":{"type":"computer_screenshot"}}`), nil, []string{`a={"type":"computer_screenshot"}`}},
		"unknown items":             {request(user("hi"), `{"type":"ghost_snapshot"}`, `7`, `null`, `"text"`), nil, []string{"user: hi"}},
		"another key":               {`{"messages":[` + user("hi") + `]}`, nil, []string{}},
		"not the top level":         {`{"x":{"input":[` + user("hi") + `]}}`, nil, []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1 << 20, 1, 7} {
				if diff := cmp.Diff(test.want, seen(inputOf(test.document, size, test.inFlight...))); diff != "" {
					t.Errorf("in chunks of %d (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

func TestInputDescribes(t *testing.T) {
	input := inputOf(`{"tools":[{"type":"function","name":"mcp__docs__search"},{"type":"namespace","name":"mcp__git","tools":[{"name":"mcp__no__no"}]},
		{"type":"function","name":"srv__echo"},{"type":"function","name":"mcp__docs__open"}],"input":[`+environment+","+permissions+","+
		user("a")+","+reasoning+","+call("a")+","+call("b")+","+output("a")+`]}`, 11)
	want := &responses.Input{
		Items: 7, Model: true, Tools: true,
		MCPServers: []string{"docs", "git"}, ToolPrefixes: []string{"srv"},
		Environment: responses.Environment{ApprovalPolicy: "never", SandboxPolicy: "workspace-write"},
		Calls: []responses.Call{
			{ID: "a", Name: "shell", Arguments: `{"n":"a"}`},
			{ID: "b", Name: "shell", Arguments: `{"n":"b"}`},
		},
		ModelIDs: []string{"rs_1", "a", "b"},
	}
	input.Entries, input.Prompts = nil, nil
	if diff := cmp.Diff(want, input); diff != "" {
		t.Errorf("Input() (-want +got):\n%s", diff)
	}
	hidden := inputOf(`{"tools":[{"type":"tool_search"},{"type":"function","name":"x"}],"input":"a"}`, 5)
	if hidden.Tools {
		t.Error("Tools = true of a list that a search completes; want false")
	}
}

func TestInputCallsOfTheLastStep(t *testing.T) {
	input := inputOf(request(call("a"), output("a"), reasoning, call("b"), assistant, call("c"), output("b"), output("c")), 32)
	var got []string
	for _, call := range input.Calls {
		got = append(got, call.ID)
	}
	if diff := cmp.Diff([]string{"b", "c"}, got); diff != "" {
		t.Errorf("Calls (-want +got):\n%s", diff)
	}
}

// The policies are those in the texts of Codex 0.44 to 0.169.
func TestInputEnvironment(t *testing.T) {
	tests := map[string]struct{ text, approval, sandbox string }{
		"tags":       {"<environment_context>\n<approval_policy>untrusted</approval_policy><sandbox_mode>read-only</sandbox_mode></environment_context>", "untrusted", "read-only"},
		"neither":    {"<environment_context>\n<cwd>/x</cwd></environment_context>", "", ""},
		"never":      {"<permissions instructions>`sandbox_mode` is `danger-full-access`: x\nApproval policy is currently never. Do", "never", "danger-full-access"},
		"trusted":    {"<permissions instructions>`sandbox_mode` is `read-only`: x `approval_policy` is `unless-trusted`: x", "untrusted", "read-only"},
		"failure":    {"<permissions instructions>`sandbox_mode` is `read-only`: x `approval_policy` is `on-failure`: x", "on-failure", "read-only"},
		"on request": {"<permissions instructions>`sandbox_mode` is `workspace-write`: x\n# Escalation Requests\n", "on-request", "workspace-write"},
		"granular":   {"<permissions instructions>`sandbox_mode` is `read-only`: x\nApproval policy is `granular`. x", "granular", "read-only"},
		"not closed": {"<environment_context>\n<approval_policy>" + strings.Repeat("x", 100), "", ""},
	}
	for name, test := range tests {
		role := "user"
		if strings.HasPrefix(test.text, "<permissions") {
			role = "developer"
		}
		document := fmt.Sprintf(`{"input":[{"role":%q,"content":%q}]}`, role, strings.ReplaceAll(test.text, "\n", " ")+"</environment_context>")
		if role == "developer" {
			document = fmt.Sprintf(`{"input":[{"role":%q,"content":%q}]}`, role, test.text)
		}
		want := responses.Environment{ApprovalPolicy: test.approval, SandboxPolicy: test.sandbox}
		if got := inputOf(document, 64).Environment; got != want {
			t.Errorf("%s: Environment = %+v; want %+v", name, got, want)
		}
	}
}

// An image before the text, or a text of any length, hides nothing else.
func TestInputElidesLongStrings(t *testing.T) {
	image := strings.Repeat("A", 3<<20)
	for _, size := range []int{16 << 10, 1<<20 + 3} {
		input := inputOf(request(`{"role":"user","content":[{"type":"input_image","image_url":"`+image+`"},{"type":"input_text","text":"what is it?"}]}`), size)
		if got := seen(input); len(got) != 1 || got[0] != "user: what is it?" || input.Cut != 1 {
			t.Errorf("Input() = %.80q, %d cut; want the text, and that something was cut", got, input.Cut)
		}
	}
	for _, end := range []string{`\n`, `\\`, `\"`, `é`, `\ud83d\udc4b`, `👋`} {
		for shift := range 8 {
			long := strings.Repeat("x", 512<<10-8+shift) + strings.Repeat(end, 8) + strings.Repeat("y", 100)
			input := inputOf(request(`{"role":"user","content":[{"type":"input_text","text":"`+long+`"}]}`), 16<<10)
			if len(input.Entries) != 1 || input.Cut != 1 {
				t.Fatalf("%d entries, %d cut; want 1 and 1", len(input.Entries), input.Cut)
			}
			text := input.Entries[0].Prompt.Text
			if len(text) > 512<<10 || len(text) < 512<<10-20 || strings.Contains(text, "\uFFFD") || strings.ContainsAny(text, "y") {
				t.Errorf("%q, shift %d: text of %d bytes ends in %q", end, shift, len(text), text[len(text)-16:])
			}
		}
	}
}

func TestInputIsBounded(t *testing.T) {
	var items []string
	for i := range 2000 {
		items = append(items, user(fmt.Sprint("prompt ", i)))
	}
	input := inputOf(request(items...), 4096)
	if len(input.Prompts) != 1024 || input.Earlier != 976 || len(input.Entries) != 256 || input.Cut != 2000-256 {
		t.Errorf("%d prompts after %d, %d entries, %d cut; want 1024 after 976, 256, 1744", len(input.Prompts), input.Earlier, len(input.Entries), input.Cut)
	}
	huge := `{"type":"function_call_output","call_id":"a","output":[` + strings.Repeat(`{"type":"input_text","text":"`+strings.Repeat("x", 1000)+`"},`, 5000) + `7]}`
	input = inputOf(request(huge, user("next")), 16<<10)
	if len(input.Entries) != 2 || len(input.Entries[0].Output) > 1<<20 || input.Cut != 1 {
		t.Errorf("%d entries, %d cut; want 2 and 1", len(input.Entries), input.Cut)
	}
}

func TestInputCompacts(t *testing.T) {
	ask := user("You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff")
	tests := map[string]struct {
		document string
		want     bool
	}{
		"asked":       {request(user("hi"), assistant, ask), true},
		"asked first": {request(user("You have exceeded the maximum number of tokens, please stop coding and instead write a short memento message for")), true},
		"triggered":   {request(user("hi"), assistant, `{"type":"compaction_trigger"}`), true},
		"answered":    {request(ask, assistant), false},
		"gone on":     {request(ask, user("hi")), false},
		"not asked":   {request(user("hi")), false},
	}
	for name, test := range tests {
		if got := inputOf(test.document, 64).Compacts; got != test.want {
			t.Errorf("%s: Compacts = %t; want %t", name, got, test.want)
		}
	}
}

// FuzzInput wants the same of a document however it is cut into chunks, and
// never more than the bounds.
func FuzzInput(f *testing.F) {
	f.Add(request(environment, permissions, user("hi \u00e9 👋"), reasoning, call("a"), output("a"), summary, assistant), uint16(3))
	f.Add(`{"input":"x\\","tools":[{"name":"mcp__a__b"},[],{}],"input":[{"role":"user","content":[{"text":"\ud83d"}]},`, uint16(1))
	f.Add(`{"input":[[{"a":"]"}],"x",1 ,null , {"type":"function_call_output","call_id":"a","output":[1,{"text":"y"}] } ] , "input" : 7 }`, uint16(2))
	f.Fuzz(func(t *testing.T, document string, size uint16) {
		whole := inputOf(document, len(document), "a")
		cut := inputOf(document, int(size), "a")
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Errorf("in chunks of %d (-whole +cut):\n%s", size, diff)
		}
		if len(whole.Entries) > 2*256 || len(whole.Calls) > 128 || len(whole.Prompts) > 1024 || len(whole.ModelIDs) > 16 {
			t.Errorf("%d entries, %d calls, %d prompts, %d ids; want fewer", len(whole.Entries), len(whole.Calls), len(whole.Prompts), len(whole.ModelIDs))
		}
	})
}
