package config

import (
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds a report; a megabyte of nonsense is not worth a hundred thousand lines.
const maxProblems = 100

// Problem is one thing that is wrong, or in [Warnings] one thing to know.
//
//nolint:errname // one entry of a report; it is an error so that errors.As finds it
type Problem struct {
	// Path is the TOML path of the value ("otel.exporter.otlp-http.endpoint"). For TOML syntax it is
	// file:line:column, for a file that cannot be read the file, for a variable that is no setting its name.
	Path    string
	Message string // what is wrong; never a value
	Hint    string // how to mend it, may be empty
}

// Error returns "path: message (hint)".
func (p Problem) Error() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Problems is everything wrong with a configuration, the error of [Load].
//
//nolint:errname // a list of problems, not a kind of error
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Warnings is what Load noticed and could live with.
type Warnings []Problem

// report collects problems and warnings.
type report struct {
	problems Problems
	warnings Warnings
	sources  map[string]string // path → where its value came from, when not from the file
	left     int               // problems past maxProblems
}

func newReport() *report {
	return &report{sources: map[string]string{}}
}

// problem adds a problem. Where the value came from the environment or an override, the message says so.
func (r *report) problem(path, message, hint string) {
	if r.full() {
		r.left++
		return
	}
	r.problems = append(r.problems, Problem{Path: path, Message: message + r.origin(path), Hint: hint})
}

func (r *report) warn(path, message, hint string) {
	if len(r.warnings) < maxProblems {
		r.warnings = append(r.warnings, Problem{Path: path, Message: message + r.origin(path), Hint: hint})
	}
}

// origin names the variable or override that path, or the value around it, came from.
func (r *report) origin(path string) string {
	for path := range around(path) {
		if source, ok := r.sources[path]; ok {
			return ", set by " + source
		}
	}
	return ""
}

// full reports whether further problems are only counted.
func (r *report) full() bool { return len(r.problems) >= maxProblems }

// count returns how many problems there are, with those past maxProblems.
func (r *report) count() int { return len(r.problems) + r.left }

// has reports whether there is a problem with path already.
func (r *report) has(path string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Path == path })
}

// err returns what was collected as an error, nil if nothing was.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	if r.left > 0 {
		return append(r.problems, Problem{Message: fmt.Sprintf("%d more problems", r.left)})
	}
	return r.problems
}
