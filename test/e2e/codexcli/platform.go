package codexcli

import (
	"fmt"
	"runtime"
)

// targetTriple names this platform as Codex's releases do.
func targetTriple() (string, error) {
	arch, ok := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("find platform: codex has no binary for %s", runtime.GOARCH)
	}
	system, ok := map[string]string{"linux": "unknown-linux-musl", "darwin": "apple-darwin"}[runtime.GOOS]
	if !ok {
		return "", fmt.Errorf("find platform: the tests do not run codex on %s", runtime.GOOS)
	}
	return arch + "-" + system, nil
}
