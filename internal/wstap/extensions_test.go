package wstap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseExtensions(t *testing.T) {
	on := Deflate{Enabled: true}
	for _, c := range []struct {
		header string // values are separated by LF
		want   Deflate
		err    string // part of the message
	}{
		{header: "", want: Deflate{}},
		{header: " , \t,,", want: Deflate{}},
		{header: "permessage-deflate", want: on},
		{header: "PerMessage-Deflate", want: on},
		{header: " permessage-deflate\t", want: on},
		{header: ",permessage-deflate , ", want: on},
		{header: "\npermessage-deflate\n", want: on},
		{header: "permessage-deflate; server_no_context_takeover", want: Deflate{Enabled: true, ServerNoContextTakeover: true}},
		{header: "permessage-deflate; client_no_context_takeover", want: Deflate{Enabled: true, ClientNoContextTakeover: true}},
		{header: "permessage-deflate;Server_No_Context_Takeover;client_no_context_takeover", want: Deflate{Enabled: true, ServerNoContextTakeover: true, ClientNoContextTakeover: true}},
		{header: "permessage-deflate; server_max_window_bits=10", want: Deflate{Enabled: true, ServerMaxWindowBits: 10}},
		{header: "permessage-deflate ; client_max_window_bits = 8", want: Deflate{Enabled: true, ClientMaxWindowBits: 8}},
		{header: `permessage-deflate; client_max_window_bits="15"; server_max_window_bits="\9"`, want: Deflate{Enabled: true, ClientMaxWindowBits: 15, ServerMaxWindowBits: 9}},

		{header: "permessage-deflate; client_max_window_bits", err: `"client_max_window_bits" with value ""`},
		{header: "permessage-deflate; server_max_window_bits=7", err: `with value "7"`},
		{header: "permessage-deflate; server_max_window_bits=16", err: `with value "16"`},
		{header: "permessage-deflate; server_max_window_bits=08", err: `with value "08"`},
		{header: "permessage-deflate; server_max_window_bits=1a", err: `with value "1a"`},
		{header: "permessage-deflate; server_max_window_bits=20", err: `with value "20"`},
		{header: "permessage-deflate; server_max_window_bits=150", err: `with value "150"`},
		{header: "permessage-deflate; server_no_context_takeover=1", err: `with value "1"`},
		{header: "permessage-deflate; client_no_context_takeover=true", err: `with value "true"`},
		{header: "permessage-deflate; server_no_context_takeover; server_no_context_takeover", err: "twice"},
		{header: "permessage-deflate; server_max_window_bits=10; Server_Max_Window_Bits=10", err: "twice"},
		{header: "permessage-deflate; level=9", err: `unknown parameter "level"`},
		{header: "permessage-deflate, permessage-deflate", err: "twice"},
		{header: "permessage-deflate\npermessage-deflate", err: "twice"},
		{header: "permessage-bzip2", err: `unknown extension "permessage-bzip2"`},
		{header: "permessage-deflate, permessage-bzip2", err: `unknown extension "permessage-bzip2"`},
		{header: "permessage-bzip2, permessage-deflate", err: `unknown extension "permessage-bzip2"`},
		{header: "x-webkit-deflate-frame", err: "unknown extension"},
		{header: "!AZaz09~", err: `unknown extension "!AZaz09~"`},
		{header: strings.Repeat("x", 1<<20), err: `unknown extension "` + strings.Repeat("x", 40) + `"`},
		{header: ";", err: "malformed"},
		{header: "=", err: "malformed"},
		{header: "permessage-deflate;", err: "malformed"},
		{header: "permessage-deflate; ;server_no_context_takeover", err: "malformed"},
		{header: "permessage-deflate; =10", err: "malformed"},
		{header: "permessage-deflate; server_max_window_bits=", err: "malformed"},
		{header: `permessage-deflate; server_max_window_bits="10`, err: "malformed"},
		{header: `permessage-deflate; server_max_window_bits="1 0"`, err: "malformed"},
		{header: `permessage-deflate; server_max_window_bits=""`, err: "malformed"},
		{header: `permessage-deflate; server_max_window_bits="10\`, err: "malformed"},
		{header: `permessage-deflate; server_max_window_bits="10"0`, err: "malformed"},
		{header: "permessage-deflate server_no_context_takeover", err: "malformed"},
		{header: "permessage-deflate=1", err: "malformed"},
		{header: "permessage-deflate; server_no_context_takeover client_no_context_takeover", err: "malformed"},
		{header: "permessage deflate", err: "unknown extension"},
		{header: "permessage-deflate\x00", err: "malformed"},
		{header: "\xff", err: "malformed"},
	} {
		got, err := ParseExtensions(strings.Split(c.header, "\n"))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("ParseExtensions(%.80q) differs (-want +got):\n%s", c.header, diff)
		}
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("ParseExtensions(%.80q) = _, %v; want %q", c.header, err, c.err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("ParseExtensions(%.80q): error of %d bytes; want a short one", c.header, len(err.Error()))
		}
	}
	if got, err := ParseExtensions(nil); got != (Deflate{}) || err != nil {
		t.Errorf("ParseExtensions(nil) = %+v, %v; want none, nil", got, err)
	}
}

func FuzzParseExtensions(f *testing.F) {
	f.Add(`permessage-deflate; client_max_window_bits="15"; server_max_window_bits=9, x`)
	f.Add("permessage-deflate;server_no_context_takeover;client_no_context_takeover,")
	f.Fuzz(func(t *testing.T, header string) {
		d, err := ParseExtensions([]string{header})
		if err != nil && d != (Deflate{}) {
			t.Errorf("ParseExtensions(%q) = %+v, %v; want nothing understood", header, d, err)
		}
		for _, bits := range []int{d.ClientMaxWindowBits, d.ServerMaxWindowBits} {
			if bits != 0 && (bits < 8 || bits > maxWindowBits) {
				t.Errorf("ParseExtensions(%q): %d bits", header, bits)
			}
		}
		if !d.Enabled && d != (Deflate{}) {
			t.Errorf("ParseExtensions(%q) = %+v without compression", header, d)
		}
		// Lists may come in several values, and a list of nothing adds nothing.
		if again, errAgain := ParseExtensions([]string{",", header, ""}); again != d || (err != nil) != (errAgain != nil) {
			t.Errorf("ParseExtensions(%q) = %+v, %v; among others %+v, %v", header, d, err, again, errAgain)
		}
	})
}
