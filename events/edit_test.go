package events

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEditEvent(t *testing.T) {
	given := &ToolResult{ToolName: "shell", Arguments: Some("a"), Output: Some("b")}
	edited := EditEvent(given, func(key, text string) (string, bool) {
		switch key {
		case "output":
			return "", false
		case "arguments":
			return text + "!", true
		default:
			return text, true
		}
	})
	if diff := cmp.Diff(&ToolResult{ToolName: "shell", Arguments: Some("a!")}, edited); diff != "" {
		t.Errorf("EditEvent() (-want +got):\n%s", diff)
	}
	if given.Arguments.Value != "a" || !given.Output.Set {
		t.Errorf("EditEvent() changed what it was given to %+v", given)
	}
}

// What stays the same is not copied, and what is not told is not edited.
func TestEditEventSame(t *testing.T) {
	for _, event := range catalogue() {
		same := EditEvent(event, func(_, text string) (string, bool) { return text, true })
		if same != event {
			t.Errorf("EditEvent(%s) is a copy; want the same", event.EventName())
		}
	}
	EditEvent(&APIRequest{}, func(key, _ string) (string, bool) {
		t.Errorf("%s is edited; want only what is told", key)
		return "", true
	})
}

func TestEditScope(t *testing.T) {
	given := &Scope{ConversationID: "c", Model: "m"}
	edited := EditScope(given, func(_, text string) (string, bool) { return text + "!", true })
	if diff := cmp.Diff(&Scope{ConversationID: "c!", Model: "m!"}, edited); diff != "" {
		t.Errorf("EditScope() (-want +got):\n%s", diff)
	}
	if same := EditScope(given, func(_, text string) (string, bool) { return text, true }); same != given {
		t.Error("EditScope() is a copy; want the same")
	}
}
