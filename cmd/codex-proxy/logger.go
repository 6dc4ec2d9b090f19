package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/codex-proxy/codex-proxy/config"
)

// newLogger returns the proxy's own log.
func newLogger(w io.Writer, cfg config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: logLevel(cfg.Level)}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(plainWriter{w}, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// plainWriter spells out in JSON what slog leaves as it is and a terminal may take for a command, or show in another
// order than it has: controls past ASCII and marks of direction. The text format quotes them by itself.
type plainWriter struct{ w io.Writer }

// Write implements io.Writer for whole lines, which is how slog writes.
func (p plainWriter) Write(line []byte) (int, error) {
	text := string(line)
	if strings.IndexFunc(text, hidden) < 0 {
		return p.w.Write(line)
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	if _, err := io.WriteString(p.w, b.String()); err != nil {
		return 0, err
	}
	return len(line), nil
}

// hidden reports whether a character past what JSON has for itself is none to be seen.
func hidden(r rune) bool { return r > '~' && !unicode.IsPrint(r) && r != utf8.RuneError }

// logLevel returns the level of a name that the configuration allows.
func logLevel(name string) slog.Level {
	switch name {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
