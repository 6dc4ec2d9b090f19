package parity

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
)

// additionRow is the row of an attribute that is not Codex's.
var additionRow = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|.*\\| (?:not in Codex|documented by Codex, never sent by it)[^|]*\\|$")

// Additions returns the attributes that the page docs/events.md says are not Codex's.
func Additions(page string) (map[string]bool, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	added := map[string]bool{}
	for _, match := range additionRow.FindAllSubmatch(text, -1) {
		added[string(match[1])] = true
	}
	if !added["response.id"] || !added["cf_ray"] || added["duration_ms"] {
		return nil, fmt.Errorf("read additions: %s says that %v are not in Codex", page, slices.Sorted(maps.Keys(added)))
	}
	return added, nil
}
