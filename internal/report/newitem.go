package report

import (
	"encoding/json"
	"fmt"
	"strings"
)

// NewItem returns an item of the events endpoint made of texts, as a command line
// has them: numbers as numbers where the event wants numbers. The endpoint judges
// the rest. The error names the event, or a number that is none.
func NewItem(name string, texts map[string]string) ([]byte, error) {
	c := newCatalog(DefaultMaxFieldBytes)
	e, ok := c.find(name)
	if !ok {
		return nil, fmt.Errorf("make item: want an event of %s; got %s", c.names(), echo(name))
	}
	item := map[string]any{keyName: e.name}
	for key, text := range texts {
		a := e.attributes[key]
		if a == nil || a.kind != kindInteger {
			item[key] = text
			continue
		}
		number := json.Number(strings.TrimSpace(text))
		if _, err := number.Int64(); err != nil {
			return nil, fmt.Errorf("make item: %s: want an integer", key)
		}
		item[key] = number
	}
	raw, err := json.Marshal(item)
	if err != nil {
		return nil, fmt.Errorf("make item: %w", err)
	}
	return raw, nil
}
