package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// The two measure with a hop and two schedulers between them.
const (
	toleratedTime  = 400 * time.Millisecond // of a duration, or toleratedShare if that is more
	toleratedShare = 0.25
	toleratedLag   = time.Second // of a time: who reads a big stream falls behind
)

// additions returns the attributes that the proxy adds to those of Codex: the ones that docs/events.md says are not in it.
func additions(t *testing.T) map[string]bool {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|.*\\| (?:not in Codex|documented by Codex, never sent by it)[^|]*\\|$")
	added := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		added[match[1]] = true
	}
	if !added["response.id"] || !added["cf_ray"] || added["duration_ms"] {
		t.Fatalf("docs/events.md says that %v are not in Codex", added)
	}
	return added
}

// compare holds the records of the proxy against those of Codex.
func compare(t *testing.T, want, got []receiver.Record, added map[string]bool) {
	t.Helper()
	if len(want) == 0 {
		t.Error("Codex has told nothing")
	}
	if len(want) != len(got) {
		t.Errorf("Codex tells of %d events, the proxy of %d", len(want), len(got))
	}
	var left, right []map[string]any
	for i := range max(len(want), len(got)) {
		var codex, proxy map[string]any
		if i < len(want) {
			codex = settledNative(want[i].Attrs)
		}
		if i < len(got) {
			proxy = got[i].Attrs
		}
		proxy = settledProxy(codex, proxy, added)
		if !cmp.Equal(codex, proxy) {
			left, right = append(left, codex), append(right, proxy)
		}
	}
	if diff := cmp.Diff(left, right); diff != "" {
		t.Errorf("records (-Codex +proxy):\n%s", clipped(diff))
	}
}

// clipped bounds a message.
func clipped(text string) string {
	const most = 16 << 10
	if len(text) > most {
		return text[:most] + "\n..."
	}
	return text
}

// settledNative is a record of Codex without what only the agent can know, its environment.
func settledNative(attrs map[string]any) map[string]any {
	settled := map[string]any{}
	for key, value := range attrs {
		if !strings.HasPrefix(key, "auth.env_") {
			settled[key] = value
		}
	}
	return settled
}

// settledProxy is a record of the proxy without what it may add, and with Codex's measurements where they are about the same.
func settledProxy(codex, proxy map[string]any, added map[string]bool) map[string]any {
	if proxy == nil {
		return nil
	}
	settled := map[string]any{}
	for key, value := range proxy {
		other, ok := codex[key]
		switch {
		case !ok && added[key]:
		case ok && alike(key, other, value):
			settled[key] = other
		default:
			settled[key] = value
		}
	}
	return settled
}

// alike reports whether two measurements are about the same, and written alike.
func alike(key string, a, b any) bool {
	if fmt.Sprintf("%T", a) != fmt.Sprintf("%T", b) {
		return false
	}
	switch key {
	case "event.timestamp":
		first, err1 := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(a))
		second, err2 := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(b))
		return err1 == nil && err2 == nil && first.Sub(second).Abs() <= toleratedLag
	case "duration_ms", "ttft_ms":
		first, err1 := strconv.Atoi(fmt.Sprint(a))
		second, err2 := strconv.Atoi(fmt.Sprint(b))
		tolerated := max(int(toleratedTime.Milliseconds()), int(toleratedShare*float64(first)))
		return err1 == nil && err2 == nil && max(first-second, second-first) <= tolerated
	default:
		return false
	}
}
