package events

import "strconv"

// Opt is a value that may be absent. The zero Opt is absent; an absent value
// becomes no attribute at all, never an empty or null one.
type Opt[T int64 | string | bool | float64] struct {
	Value T
	Set   bool
}

// Some returns an Opt that holds v.
func Some[T int64 | string | bool | float64](v T) Opt[T] {
	return Opt[T]{Value: v, Set: true}
}

// Int64 returns an Opt that holds v.
func Int64[T ~int | ~int32 | ~int64](v T) Opt[int64] {
	return Some(int64(v))
}

// NonEmpty returns an Opt that holds s unless s is empty.
func NonEmpty(s string) Opt[string] {
	return Opt[string]{Value: s, Set: s != ""}
}

// String returns the value as text, "" when absent.
func (o Opt[T]) String() string {
	if !o.Set {
		return ""
	}
	switch v := any(o.Value).(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		// The constraint leaves only string.
		return v.(string)
	}
}
