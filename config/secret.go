package config

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted stands in for every value that must not be shown.
const redacted = "[REDACTED]"

// Secret is a string that formats, logs and marshals as [REDACTED]. Only Reveal gives it away.
type Secret string

var (
	_ fmt.Formatter  = Secret("")
	_ fmt.GoStringer = Secret("")
	_ slog.LogValuer = Secret("")
)

// Reveal returns the value itself, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// String returns [REDACTED].
func (Secret) String() string { return redacted }

// GoString returns [REDACTED].
func (Secret) GoString() string { return redacted }

// Format writes [REDACTED] under every verb; without it %d would print the value inside its complaint.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [REDACTED]. encoding/json uses it; go-toml does not for strings, hence [Config.TOML].
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [REDACTED].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
