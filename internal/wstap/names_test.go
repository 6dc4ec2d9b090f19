package wstap

import (
	"fmt"
	"testing"
)

func TestNames(t *testing.T) {
	for want, of := range map[string]fmt.Stringer{
		"client": FromClient, "server": FromServer,
		"whole": Whole, "long": CutLong, "compressed": CutCompressed, "inflated": CutInflated, "corrupt": CutCorrupt,
		"unknown": Cut(200),
		"":        NotLost, "reserved_bits": LostReservedBits, "opcode": LostOpcode, "mask": LostMask, "length": LostLength,
		"continuation": LostContinuation, "interrupted": LostInterrupted, "control_fragmented": LostControlFragmented,
		"control_too_long": LostControlTooLong, "panic": LostPanic,
		"closed": EndedByClosed, "read_error": EndedByReadError, "write_error": EndedByWriteError,
	} {
		if got := of.String(); got != want {
			t.Errorf("%T(%d).String() = %q; want %q", of, of, got, want)
		}
	}
	for _, of := range []fmt.Stringer{Lost(200), EndedBy(200)} {
		if got := of.String(); got != "unknown" {
			t.Errorf("%T.String() = %q; want unknown", of, got)
		}
	}
	if EndedByClient.String() != "client" || EndedByServer.String() != "server" {
		t.Errorf("EndedByClient, EndedByServer = %v, %v", EndedByClient, EndedByServer)
	}
}
