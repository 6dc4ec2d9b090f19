package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Target is one proxy of a targets file. ${NAME} in its strings and files is replaced by PORT (free, to listen on),
// UPSTREAM (URL), UPSTREAM_ADDR (host:port), CA (certificate of a TLS upstream), SINK (URL of the OTLP receiver), DIR
// (scratch folder with the rendered files), SELF (this program), PROXY (codex-proxy), an entry of Vars, or an
// environment variable.
type Target struct {
	Name    string            `json:"name"`
	Note    string            `json:"note,omitempty"`    // what a reader of the tables must know
	URL     string            `json:"url"`               // base URL; /responses is appended
	Start   string            `json:"start,omitempty"`   // shell command; empty: nothing to start
	Health  string            `json:"health,omitempty"`  // URL that answers once up; the base URL if empty
	Ledger  string            `json:"ledger,omitempty"`  // URL of the proxy's own books; empty: it keeps none
	Sink    bool              `json:"sink,omitempty"`    // its telemetry reaches the receiver
	Modes   []string          `json:"modes,omitempty"`   // the only modes that it can do; empty: all but Not
	Not     []string          `json:"not,omitempty"`     // modes that it cannot do
	Files   []string          `json:"files,omitempty"`   // beside the targets file, rendered into DIR
	Vars    map[string]string `json:"vars,omitempty"`    // more names to replace
	Env     map[string]string `json:"env,omitempty"`     // environment of the command
	Headers map[string]string `json:"headers,omitempty"` // sent with every request
	Model   string            `json:"model,omitempty"`   // model name to send, * standing for the spec
	CPUs    string            `json:"cpus,omitempty"`    // taskset list instead of -proxy-cpus

	folder string // of the targets file
}

// does reports whether a target can do a mode.
func (t Target) does(mode string) bool {
	return !slices.Contains(t.Not, mode) && (len(t.Modes) == 0 || slices.Contains(t.Modes, mode))
}

// readTargets reads targets files, keeping the named targets or all.
func readTargets(paths, only []string) ([]Target, error) {
	var all []Target
	for _, path := range paths {
		targets, err := readTargetsFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, targets...)
	}
	for _, name := range only {
		if !slices.ContainsFunc(all, func(t Target) bool { return t.Name == name }) {
			return nil, fmt.Errorf("no target %q", name)
		}
	}
	if len(only) > 0 {
		all = slices.DeleteFunc(all, func(t Target) bool { return !slices.Contains(only, t.Name) })
	}
	return all, nil
}

func readTargetsFile(path string) ([]Target, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var targets []Target
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&targets); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i := range targets {
		targets[i].folder = filepath.Dir(path)
	}
	return targets, nil
}

// render writes the files of a target into a folder.
func (t Target) render(e *expander, folder string) error {
	for _, name := range t.Files {
		text, err := os.ReadFile(filepath.Join(t.folder, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(e.expand(string(text))), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// expander replaces ${NAME} and remembers the names that it does not know.
type expander struct {
	vars, more map[string]string
	missing    []string
}

var variable = regexp.MustCompile(`\$\{[A-Z_]+\}`)

func (e *expander) expand(text string) string {
	return variable.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if value, ok := e.vars[name]; ok {
			return value
		}
		if value, ok := e.more[name]; ok {
			return value
		}
		value, ok := os.LookupEnv(name)
		if !ok {
			e.missing = append(e.missing, name)
		}
		return value
	})
}

func (e *expander) expandMap(m map[string]string) map[string]string {
	expanded := make(map[string]string, len(m))
	for key, value := range m {
		expanded[key] = e.expand(value)
	}
	return expanded
}

// err returns an error if a name was not known.
func (e *expander) err() error {
	if len(e.missing) == 0 {
		return nil
	}
	return fmt.Errorf("not set: %s", strings.Join(e.missing, ", "))
}
