package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/codex-proxy/codex-proxy/config"
	"github.com/codex-proxy/codex-proxy/internal/redact"
)

// keyFile is where in the state directory the key of hashes is kept.
const keyFile = "content.key"

// keyBytes is how long a key is that is made here.
const keyBytes = 32

// contentPolicies sets what is told of prompts, arguments and outputs.
func contentPolicies(told *redact.Config, cfg *config.Config, key []byte) {
	c := cfg.Content
	prompts := c.Prompts
	if prompts == config.ContentAuto {
		prompts = config.ContentRedacted
		if cfg.OTel.LogUserPrompt {
			prompts = config.ContentFull
		}
	}
	told.Prompts = redact.Policy{Mode: modeOf(prompts), MaxBytes: c.MaxPromptBytes, Key: key}
	told.Arguments = redact.Policy{Mode: modeOf(c.Arguments), MaxBytes: c.MaxArgumentsBytes, Key: key}
	told.Outputs = redact.Policy{Mode: modeOf(c.Outputs), MaxBytes: c.MaxOutputBytes, Key: key}
}

// modeOf returns the mode of a name that the configuration allows.
func modeOf(name string) redact.Mode {
	switch name {
	case config.ContentFull:
		return redact.ModeFull
	case config.ContentHash:
		return redact.ModeHash
	case config.ContentOff:
		return redact.ModeOff
	default:
		return redact.ModeRedacted
	}
}

// findHashKey returns the key of hashes: the configured one, or that of the state directory, which only the process that has the
// store may make. Without either it is one that ends with the process, so that nothing can be joined but what it told itself.
func (s *service) findHashKey(cfg *config.Config) ([]byte, error) {
	if !cfg.Content.Hashes() {
		return nil, nil
	}
	if key := cfg.Content.HashKey.Reveal(); key != "" {
		sum := sha256.Sum256([]byte(key))
		return sum[:], nil
	}
	if s.store != nil {
		dir, err := storeDir(cfg)
		if err == nil {
			var key []byte
			if key, err = keptKey(filepath.Join(dir, keyFile)); err == nil {
				return key, nil
			}
		}
		if errors.Is(err, errNoKey) {
			return nil, err
		}
		s.logger.Warn("the key of hashes cannot be kept, and ends with this process",
			slog.String("error", err.Error()), slog.String("hint", "set content.hash_key"))
	}
	return newKey(), nil
}

func newKey() []byte {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // It never fails.
	return key
}

// errNoKey is a key file that is none. A new key would join with nothing that was told before, so nobody makes one unasked.
var errNoKey = errors.New("holds no key; remove it to have a new one made")

// keptKey returns the key in a file, which it makes if there is none.
func keptKey(file string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key := newKey()
		return key, writeKey(file, hex.EncodeToString(key)+"\n")
	}
	if err != nil {
		return nil, fmt.Errorf("read key of hashes: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("read key of hashes: %s %w", file, errNoKey)
	}
	return key, nil
}

// writeKey writes a file that is whole or not there, for its owner alone.
func writeKey(file, content string) error {
	made, err := os.CreateTemp(filepath.Dir(file), keyFile+".*") // 0600
	if err != nil {
		return fmt.Errorf("make key of hashes: %w", err)
	}
	_, err = made.WriteString(content)
	err = errors.Join(err, made.Sync(), made.Close())
	if err == nil {
		err = os.Rename(made.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write key of hashes: %w", errors.Join(err, os.Remove(made.Name())))
	}
	return nil
}
