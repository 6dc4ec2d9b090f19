package config

import (
	"bytes"
	"maps"
	"path/filepath"
)

// Options says where a configuration comes from. The zero value gives the defaults.
type Options struct {
	File string // TOML file; empty: none

	// Env is the environment in the form of os.Environ. It holds the CODEX_PROXY_ variables, what ${NAME} refers to,
	// and HOME. A CODEX_PROXY_ variable that is no setting is a problem, so a caller with variables of its own under
	// that prefix leaves them out.
	Env []string

	// Overrides maps TOML paths to values in the form environment variables have; command-line flags end here.
	// Unlike a variable, an empty override is set.
	Overrides map[string]string
}

// Load reads, layers, checks and returns the configuration. The error is always [Problems] and complete: a problem in
// one place hides none in another, but for keys that differ in case only. The warnings are also returned beside an error.
func Load(opts Options) (*Config, Warnings, error) {
	r := newReport()
	cfg := load(opts, r)
	if err := r.err(); err != nil {
		return nil, r.warnings, err
	}
	return cfg, r.warnings, nil
}

// load reports every value that is wrong, and goes on without it.
func load(opts Options, r *report) *Config {
	env := environment(opts.Env)
	references := newExpander(env)
	inFile := newChecker(r, references, filepath.Dir(opts.File))
	// Whoever sets a variable or a flag is in the working directory, not in the file's folder.
	outside := newChecker(r, references, ".")

	tree := root()
	inFile.replaced = replaced(tree, env, opts.Overrides)
	l := newLayers(tree, inFile)
	if document, ok := readFile(opts.File, r); ok {
		if err := l.v.ReadConfig(bytes.NewReader(document)); err != nil {
			r.syntax(opts.File, err)
		}
	}
	set := outside.environment(tree, env)
	set = append(set, outside.overrides(tree, opts.Overrides)...)
	for _, s := range set {
		l.set(s)
	}
	outside.strangers(tree, env)

	cfg, err := l.decode()
	if err != nil {
		// The checkers let nothing past that does not decode. The cause is left out: it may quote a value.
		r.problem("", "decode configuration: a checked value does not fit its field", "")
		return nil
	}
	cfg.written = inFile.written
	maps.Copy(cfg.written, outside.written)
	(&validator{cfg: cfg, report: r}).validate()
	return cfg
}
