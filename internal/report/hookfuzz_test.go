package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// askedAll remembers every question.
type askedAll map[string]bool

func (a askedAll) Remember(key string) error { a[key] = true; return nil }

func (a askedAll) Recall(key string) bool { return a[key] }

// FuzzCodexHook has anything come from a hook. What it tells is one item in JSON, whatever was asked before.
func FuzzCodexHook(f *testing.F) {
	files, _ := filepath.Glob("testdata/hooks/*.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, name := range []string{"SessionStart", "UserPromptSubmit", "PermissionRequest", "PreToolUse", "PostToolUse"} {
		f.Add([]byte(`{"hook_event_name":"` + name + `","session_id":"s","turn_id":"t","model":"m","source":"startup","prompt":"p",` +
			`"tool_name":"Bash","tool_use_id":"c","tool_input":{"command":"ls"}}`))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		asked := askedAll{}
		for range 2 { // the second time what was asked is known
			item, err := CodexHookItem(input, asked)
			if err != nil && item != nil {
				t.Fatalf("item %q with %v; want one of them", item, err)
			}
			if item == nil {
				continue
			}
			var told map[string]any
			if err := json.Unmarshal(item, &told); err != nil || told["event.name"] == nil {
				t.Errorf("item %q, %v; want an object with a name", item, err)
			}
		}
		for key := range asked {
			if len(key) > 128 {
				t.Errorf("a question is remembered by %d bytes: %q", len(key), key)
			}
		}
	})
}
