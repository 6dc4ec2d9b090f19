package events

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// habit is one thing that a release of Codex changed, for the reference page and
// for the test of the boundaries.
type habit struct {
	predicate string // method of Profile
	since     string // first release with it
	until     string // first release without it again
	means     string
}

// habits are the boundaries that were seen by running the releases on both sides
// of them; 0.46 could not be had, so the texts of broken streams may be one
// release older.
func habits() []habit {
	return []habit{
		{"Seed", "", "0.64", "`error.message` is absent for HTTP statuses; a broken stream is told in one record, later in two"},
		{"StreamErrorNamesRay", "0.47", "0.64", "`error.message` of a broken stream ends in `, request id: ` and the cf-ray, if there was one"},
		{"TellsRefusal", "0.64", "0.115", "`error.message` of an HTTP status has the whole body of the response"},
		{"ZeroFillsTokens", "0.64", "", "token details that the upstream left out are `0`, not absent"},
		{"SpellsChatgpt", "0.93", "", "`auth_mode` is `Chatgpt`, before `ChatGPT`"},
		{"TellsOriginator", "0.99", "", "`originator` exists"},
		{"TellsToolOrigin", "0.105", "", "`mcp_server` and `mcp_server_origin` exist"},
		{"TellsAuth", "0.115", "", "`endpoint` and the `auth.*` attributes of `codex.api_request` exist"},
		{"TellsMessages", "", "0.142", "`codex.websocket_event` is told of each message of a WebSocket"},
		{"TellsTTFT", "0.143", "", "`ttft_ms` exists"},
		{"TellsCacheWrite", "0.145", "", "`cache_write_token_count` exists"},
		{"TellsTier", "0.145", "", "`service_tier` and `model_reasoning_effort` exist"},
		{"SplitsDecisions", "0.148", "", "`approved_for_session`, before `approvedforsession`"},
		{"ConnectsAhead", "0.158", "", "`auth.connection_reused` of a first warm-up is true, before false"},
		{"TellsReauth", "0.167", "", "`auth.reauth` exists"},
	}
}

// holds calls the predicate of a profile by name.
func holds(t *testing.T, p Profile, predicate string) bool {
	t.Helper()
	method := reflect.ValueOf(p).MethodByName(predicate)
	if !method.IsValid() {
		t.Fatalf("Profile has no method %s", predicate)
	}
	return method.Call(nil)[0].Bool()
}

// boundary returns the releases at which a predicate begins and ends to hold.
func boundary(t *testing.T, predicate string) (since, until string) {
	t.Helper()
	const newest = 1000
	was := holds(t, CodexProfile("0.1.0"), predicate)
	for minor := 2; minor < newest; minor++ {
		is := holds(t, CodexProfile(fmt.Sprintf("0.%d.0", minor)), predicate)
		switch {
		case is && !was:
			since = fmt.Sprintf("0.%d", minor)
		case was && !is:
			until = fmt.Sprintf("0.%d", minor)
		}
		was = is
	}
	return since, until
}

func TestProfileBoundaries(t *testing.T) {
	told := map[string]bool{}
	for _, h := range habits() {
		told[h.predicate] = true
		if since, until := boundary(t, h.predicate); since != h.since || until != h.until {
			t.Errorf("%s holds since %q until %q; want %q, %q", h.predicate, since, until, h.since, h.until)
		}
	}
	typ := reflect.TypeFor[Profile]()
	for method := range typ.Methods() {
		predicate := method.Type.NumIn() == 1 && method.Type.Out(0).Kind() == reflect.Bool
		if predicate && !told[method.Name] {
			t.Errorf("habits() lacks %s", method.Name)
		}
	}
}

// An agent that is not Codex, a build from source and a version nobody can read
// follow the newest habits.
func TestProfileNewest(t *testing.T) {
	newest := []Profile{{}, CodexProfile("0.0.0"), CodexProfile(""), CodexProfile("dev"), CodexProfile("0.x"), CodexProfile("-1.-2.0"), CodexProfile("1.2.3")}
	for _, p := range newest {
		for _, h := range habits() {
			if got, want := holds(t, p, h.predicate), h.until == ""; got != want {
				t.Errorf("%+v.%s() = %t; want %t", p, h.predicate, got, want)
			}
		}
	}
	if (Profile{}).Codex || !CodexProfile("dev").Codex {
		t.Error("Codex is set for the zero profile or unset for a version of Codex")
	}
}

func TestCodexProfileReadsVersions(t *testing.T) {
	tests := []struct {
		version string
		want    Profile
	}{
		{"0.45.0", Profile{Codex: true, Minor: 45}},
		{"0.149.0-alpha.3", Profile{Codex: true, Minor: 149}},
		{"0.45", Profile{Codex: true, Minor: 45}},
		{"2.7.1", Profile{Codex: true, Major: 2, Minor: 7}},
	}
	for _, test := range tests {
		if got := CodexProfile(test.version); got != test.want {
			t.Errorf("CodexProfile(%q) = %+v; want %+v", test.version, got, test.want)
		}
	}
}

func TestProfileSince(t *testing.T) {
	for profile, want := range map[Profile]bool{
		CodexProfile("0.63.9"): false, CodexProfile("0.64.0"): true, CodexProfile("1.0.0"): true, {}: true,
	} {
		if got := profile.Since(64); got != want {
			t.Errorf("%+v.Since(64) = %t; want %t", profile, got, want)
		}
	}
}

// The texts are those in the records that the releases exported.
func TestProfileStreamErrorText(t *testing.T) {
	for _, n := range readNative(t) {
		if n.Shape != "C" {
			continue
		}
		p := CodexProfile(n.Release)
		want := p.StreamErrorText()
		if p.StreamErrorNamesRay() {
			want += ", request id: 8f0abc-SJC"
		}
		if got := n.text("error.message"); got != want {
			t.Errorf("%s wrote %q; StreamErrorText says %q", n.Release, got, want)
		}
	}
	if text := CodexProfile("0.47.0").StreamErrorText(); !strings.Contains(text, "Error while reading the server response") {
		t.Errorf("StreamErrorText() of 0.47 = %q; want the text that 0.47 writes", text)
	}
}
