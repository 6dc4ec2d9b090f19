package responses

import "testing"

// TestSkipValueStaysWithin cuts JSON at every byte.
func TestSkipValueStaysWithin(t *testing.T) {
	const whole = `{"type":"response.output_item.done","item":{"a":"b\"","c":[1,{"d":"e"}]},"f":null}`
	for n := range len(whole) + 1 {
		raw := []byte(whole)[:n:n]
		for at := range n + 1 {
			if end := skipValue(raw, at); end < at || end > n {
				t.Errorf("skipValue(%q, %d) = %d; want no more than %d", raw, at, end, n)
			}
		}
		for key, value := range fields(raw) { // Without a panic.
			for range fields(value) {
				if len(key) > n {
					t.Errorf("key %q of %q", key, raw)
				}
			}
		}
	}
}
