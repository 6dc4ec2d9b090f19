// Package sdk installs the OpenAI SDKs for Node.js in the versions of package-lock.json and runs small programs that use them,
// which are the scripts beside this file.
package sdk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

//go:embed *.mjs
var scripts embed.FS

// The manifest and the lock with the versions of everything.
//
//go:embed package.json package-lock.json
var manifest embed.FS

// Kit is the installed packages.
type Kit struct {
	modules string // the directory node_modules
}

// Install returns the packages, downloading them with npm when they are not there yet. They are kept in the user's cache
// directory, in codex-proxy-ci/sdk, by what the lock says. Any number of processes may install at once.
func Install(ctx context.Context) (Kit, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return Kit{}, fmt.Errorf("find cache directory: %w", err)
	}
	lock, err := manifest.ReadFile("package-lock.json")
	if err != nil {
		return Kit{}, err
	}
	sum := sha256.Sum256(lock)
	dir, err := install(ctx, filepath.Join(cache, "codex-proxy-ci", "sdk"), hex.EncodeToString(sum[:8]))
	if err != nil {
		return Kit{}, fmt.Errorf("install SDKs: %w", err)
	}
	return Kit{modules: filepath.Join(dir, "node_modules")}, nil
}

// install downloads beside the final directory and renames, so that a directory of that name is always complete. The lock
// spares a second process the download; the system drops it with the process that held it.
func install(ctx context.Context, root, name string) (string, error) {
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	partial, err := os.MkdirTemp(root, name+".partial-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	if err := os.CopyFS(partial, manifest); err != nil {
		return "", err
	}
	// The packages' own scripts are of no use to the tests, and not run.
	cmd := exec.CommandContext(ctx, "npm", "ci", "--prefix", partial, "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress",
		"--loglevel=error")
	cmd.Dir = partial
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%w: Node.js with npm is needed", err)
	}
	if err != nil {
		return "", fmt.Errorf("run npm ci: %w: %s", err, bytes.TrimSpace(out))
	}
	return dir, os.Rename(partial, dir)
}
