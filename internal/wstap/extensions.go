package wstap

import (
	"errors"
	"fmt"
	"strings"
)

// maxWindowBits is the size of the window unless less was agreed on: 32 KiB.
const maxWindowBits = 15

// errSyntax is a header that RFC 6455 §9.1 does not allow.
var errSyntax = errors.New("malformed extension list")

// Deflate is what a handshake agreed on about permessage-deflate (RFC 7692 §7.1). The zero value is no compression.
type Deflate struct {
	// Enabled reports that messages may be compressed.
	Enabled bool
	// ClientNoContextTakeover and ServerNoContextTakeover report that each message of that side stands for itself.
	ClientNoContextTakeover, ServerNoContextTakeover bool
	// ClientMaxWindowBits and ServerMaxWindowBits are how far back that side refers, 8 to 15 as a power of two; 0 is 15.
	ClientMaxWindowBits, ServerMaxWindowBits int
}

func (d *Deflate) takeover(from Direction) bool {
	if from == FromClient {
		return d.Enabled && !d.ClientNoContextTakeover
	}
	return d.Enabled && !d.ServerNoContextTakeover
}

func (d *Deflate) windowBytes(from Direction) int {
	bits := d.ServerMaxWindowBits
	if from == FromClient {
		bits = d.ClientMaxWindowBits
	}
	if bits < 8 || bits > maxWindowBits {
		bits = maxWindowBits
	}
	return 1 << bits
}

// ParseExtensions reads the values of the Sec-WebSocket-Extensions header of a 101 response, which say what was agreed
// on. The header of the request is only an offer.
//
// A header that is malformed, or agrees on anything but permessage-deflate as RFC 7692 defines it, is an error, and no
// compression is understood: messages that are not compressed are read all the same, and the first compressed one loses
// its direction.
func ParseExtensions(values []string) (Deflate, error) {
	var agreed Deflate
	for _, value := range values {
		rest := value
		for rest = skipSpace(rest); rest != ""; rest = skipSpace(rest) {
			if rest[0] == ',' { // elements of a list may be empty (RFC 9110 §5.6.1)
				rest = rest[1:]
				continue
			}
			d, after, err := parseExtension(rest)
			if err != nil {
				return Deflate{}, fmt.Errorf("parse Sec-WebSocket-Extensions: %w", err)
			}
			if agreed.Enabled {
				return Deflate{}, errors.New("parse Sec-WebSocket-Extensions: permessage-deflate twice")
			}
			agreed, rest = d, after
		}
	}
	return agreed, nil
}

// parseExtension reads one extension with its parameters and returns what follows.
func parseExtension(s string) (d Deflate, rest string, err error) {
	name, rest := cutToken(s)
	if name == "" {
		return d, "", errSyntax
	}
	if !strings.EqualFold(name, "permessage-deflate") {
		return d, "", fmt.Errorf("unknown extension %.40q", name)
	}
	d.Enabled = true
	seen := map[string]bool{}
	for rest = skipSpace(rest); rest != "" && rest[0] != ','; rest = skipSpace(rest) {
		if rest[0] != ';' {
			return d, "", errSyntax
		}
		var param, value string
		var valued bool
		if param, value, valued, rest, err = cutParam(skipSpace(rest[1:])); err != nil {
			return d, "", err
		}
		param = strings.ToLower(param)
		if seen[param] {
			return d, "", fmt.Errorf("parameter %.40q twice", param)
		}
		seen[param] = true
		if err := d.set(param, value, valued); err != nil {
			return d, "", err
		}
	}
	return d, rest, nil
}

// set applies a parameter (RFC 7692 §7.1).
func (d *Deflate) set(param, value string, valued bool) error {
	ok := !valued
	switch param {
	case "server_no_context_takeover":
		d.ServerNoContextTakeover = true
	case "client_no_context_takeover":
		d.ClientNoContextTakeover = true
	case "server_max_window_bits":
		d.ServerMaxWindowBits, ok = windowBits(value)
	case "client_max_window_bits":
		d.ClientMaxWindowBits, ok = windowBits(value)
	default:
		return fmt.Errorf("unknown parameter %.40q", param)
	}
	if !ok {
		return fmt.Errorf("parameter %.40q with value %.40q", param, value)
	}
	return nil
}

// windowBits reads a number from 8 to 15 without leading zeros. A response always has one, unlike an offer.
func windowBits(s string) (n int, ok bool) {
	switch {
	case len(s) == 1 && (s[0] == '8' || s[0] == '9'):
		return int(s[0] - '0'), true
	case len(s) == 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5':
		return 10 + int(s[1]-'0'), true
	default:
		return 0, false
	}
}
