package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/codex-proxy/codex-proxy/config"
)

// status is what a check comes to.
type status string

// The statuses. A failure makes doctor fail; a warning is something to know.
const (
	statusOK   status = "ok"
	statusWarn status = "warn"
	statusFail status = "fail"
)

// finding is the outcome of a check.
type finding struct {
	Check  string `json:"check"`
	Status status `json:"status"`
	Detail string `json:"detail"`
}

// doctor checks what a proxy of a configuration needs.
type doctor struct {
	source  source
	url     string
	timeout time.Duration
	asJSON  bool

	clocks []clock // what others say the time is
}

func (a *app) doctorCommand() *cobra.Command {
	d := doctor{source: source{anywhere: true}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the configuration and everything it leads to",
		Long: "Doctor checks the configuration, the upstream, the collector (to which it sends one record, marked as its own), the state\n" +
			"directory, the clock, and whether a hop between here and a running proxy holds streams back. It sends no credentials to the\n" +
			"upstream and prints none. The exit code is 1 if a check fails.",
		Args: cobra.NoArgs,
		RunE: failed(func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), &d) }),
	}
	d.source.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&d.url, "url", "", "`URL` at which agents reach the proxy, through whatever is before it; the configured listener unless given")
	flags.DurationVar(&d.timeout, "timeout", 10*time.Second, "`time` for each check")
	flags.BoolVar(&d.asJSON, "json", false, "print one JSON object")
	return cmd
}

// errUnhealthy is the error of a doctor that found something.
var errUnhealthy = errors.New("doctor: at least one check failed")

// doctor runs the checks and prints what they come to.
func (a *app) doctor(ctx context.Context, d *doctor) error {
	var findings []finding
	worst := statusOK
	tell := func(found ...finding) {
		for _, f := range found {
			// Words of others may be in it, and it goes to a terminal.
			f.Detail = printable(f.Detail)
			findings = append(findings, f)
			if f.Status == statusFail || worst == statusOK {
				worst = f.Status
			}
			if !d.asJSON {
				fmt.Fprintf(a.stdout, "%-4s  %-15s  %s\n", f.Status, f.Check, f.Detail)
			}
		}
	}
	cfg, found := d.checkConfig()
	tell(found...)
	if cfg != nil {
		for _, check := range []func(context.Context, *config.Config) []finding{
			d.checkUpstream, d.checkCollector, d.checkState, d.checkClock, d.checkStreaming,
		} {
			limited, cancel := context.WithTimeout(ctx, d.timeout)
			tell(check(limited, cfg)...)
			cancel()
		}
	}
	if d.asJSON {
		if err := printJSON(a.stdout, map[string]any{"status": worst, "checks": findings}); err != nil {
			return err
		}
	}
	if worst == statusFail {
		return errUnhealthy
	}
	return nil
}

// checkConfig loads the configuration. Without one there is nothing else to check.
func (d *doctor) checkConfig() (*config.Config, []finding) {
	const check = "configuration"
	var found []finding
	cfg, warnings, err := d.source.load()
	for _, warning := range warnings {
		found = append(found, finding{check, statusWarn, warning.Error()})
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		for _, problem := range problems {
			found = append(found, finding{check, statusFail, problem.Error()})
		}
		return nil, found
	}
	if err != nil {
		return nil, append(found, finding{check, statusFail, err.Error()})
	}
	from := "no file, the defaults and the environment"
	if d.source.file != "" {
		from = d.source.file
	}
	return cfg, append(found, finding{check, statusOK, fmt.Sprintf("%s: exporter %s, upstream %s", from, exporterKind(cfg.OTel.Exporter), redactedURL(cfg.Upstream.BaseURL))})
}

// printable returns text as one line without characters that a terminal could take for commands.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
