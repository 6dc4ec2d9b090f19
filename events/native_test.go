package events

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

func readNative(t *testing.T) []native {
	t.Helper()
	data, err := os.ReadFile("testdata/native.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []native
	if err := json.Unmarshal(data, &records); err != nil {
		t.Fatal(err)
	}
	return records
}

// clientOnly are the attributes of Codex that no traffic shows and that the
// catalogue does not have.
var clientOnly = []string{
	"auth.env_codex_api_key_enabled",
	"auth.env_codex_api_key_present",
	"auth.env_openai_api_key_present",
	"auth.env_provider_key_name",
	"auth.env_provider_key_present",
	"auth.env_refresh_token_url_override_present",
	"config.legacy_multi_agent_disabled_sources",
	"tool_result_seq",
}

// proxyOnly are the attributes that Codex does not have: more of them do not
// break a dashboard.
var proxyOnly = []string{
	"cf_ray", "conversation.forked_from_id", "conversation.parent_id", "event.id", "http.request.body.size", "http.request.method",
	"request.id", "request.kind", "request.warmup", "response.id", "session.id", "stream.bytes", "stream.deltas", "stream.ended_by",
	"stream.events", "subagent.kind", "telemetry.disagreement", "telemetry.source", "turn.id", "turn.parent_id", "turn.root_id",
	"vcs.ref.head.revision", "vcs.repository.url.full",
}

// told returns the record that the codex schema makes in the place of n.
func (n native) told(t *testing.T) []attribute.KeyValue {
	t.Helper()
	told := encode(&Encoder{Schema: SchemaCodex}, n.record(t))
	i := 0
	if n.Shape == "D" {
		i = 1
	}
	if len(told) <= i {
		t.Fatalf("Expand() yields %d records; want more than %d", len(told), i)
	}
	return told[i]
}

// The codex schema writes what the real Codex wrote: the same values under the
// same keys with the same types, and no key of Codex's own that it did not write.
func TestCodexSchemaEqualsNative(t *testing.T) {
	for _, n := range readNative(t) {
		t.Run(n.Release+" "+n.Shape, func(t *testing.T) {
			attrs := n.told(t)
			got := values(t, attrs)
			for key, want := range n.Attrs {
				value, ok := got[key]
				switch {
				case slices.Contains(clientOnly, key):
					if ok {
						t.Errorf("%s = %v; want none: no traffic shows it", key, value)
					}
				case !ok:
					t.Errorf("%s is missing; want %v", key, want)
				case asOTLP(value) != want:
					t.Errorf("%s = %v; want %v", key, value, want)
				}
			}
			for _, attr := range attrs {
				key := string(attr.Key)
				if slices.Contains(proxyOnly, key) {
					continue
				}
				if want := n.Types[key]; otlpType(attr.Value) != want {
					t.Errorf("type of %s = %s; want %q", key, otlpType(attr.Value), want)
				}
			}
		})
	}
}

// The typed schema differs from Codex's types where the tags say so and nowhere
// else.
func TestTypedSchemaTypes(t *testing.T) {
	for _, n := range readNative(t) {
		r := n.record(t)
		for _, attr := range encode(&Encoder{}, r)[0] {
			key := string(attr.Key)
			want, ok := n.Types[key]
			if !ok {
				continue
			}
			if codexTextNumbers[key] {
				want = "intValue"
			}
			if got := otlpType(attr.Value); got != want {
				t.Errorf("%s %s: type of %s = %s; want %s", n.Release, n.Shape, key, got, want)
			}
		}
	}
}

// codexTextNumbers are the numbers that Codex writes as strings.
var codexTextNumbers = map[string]bool{
	"duration_ms": true, "prompt_length": true,
	"input_token_count": true, "output_token_count": true, "tool_token_count": true,
}

func asOTLP(v any) any {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return v
}

func otlpType(v attribute.Value) string {
	switch v.Type() {
	case attribute.STRING:
		return "stringValue"
	case attribute.INT64:
		return "intValue"
	case attribute.BOOL:
		return "boolValue"
	default:
		return v.Type().String()
	}
}
