package coding

import (
	"testing"

	"go.uber.org/goleak"
)

// Every coroutine must be gone at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
