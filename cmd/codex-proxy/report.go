package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/codex-proxy/codex-proxy/internal/report"
)

const (
	// reportTimeout bounds a report; an agent may be waiting for it.
	reportTimeout = 2 * time.Second
	// maxStdin bounds what is read of the standard input.
	maxStdin = 16 << 20
	// maxShownProblems bounds the problems of an answer that are printed, maxShown the characters of each of its texts.
	maxShownProblems = 10
	maxShown         = 500
)

// reporter sends reports to a running proxy.
type reporter struct {
	url     string
	event   string
	attrs   []string
	hook    bool
	quiet   bool
	timeout time.Duration
}

func (a *app) reportCommand() *cobra.Command {
	var r reporter
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Report an event to a running proxy",
		Long: "Report sends one event to a running proxy: --event and --attr say which, or the standard input has it, as JSON of the\n" +
			"endpoint /codex-proxy/v1/events. With --codex-hook the standard input is what Codex gives to a hook.",
		Example: "  codex-proxy report --event user_prompt --attr conversation.id=c1 --attr 'prompt=say hello'\n" +
			"  codex-proxy report <event.json\n" +
			"  codex-proxy report --codex-hook --quiet",
		Args: cobra.NoArgs,
		RunE: failed(func(cmd *cobra.Command, _ []string) error {
			body, err := r.body(a.stdin)
			if err != nil || body == nil {
				return err
			}
			trouble, err := r.send(cmd.Context(), body)
			if trouble != "" && !r.quiet {
				fmt.Fprintf(a.stderr, "codex-proxy: accepted, but not on disk yet: %s\n", strconv.QuoteToASCII(shown(trouble)))
			}
			return err
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&r.url, "url", "http://127.0.0.1:8787", "`URL` of the proxy")
	flags.StringVar(&r.event, "event", "", "`name` of the event, such as user_prompt; without it the event is read from standard input")
	flags.StringArrayVar(&r.attrs, "attr", nil, "attribute of the event, as `name=value`; may be repeated")
	flags.BoolVar(&r.hook, "codex-hook", false, "read the input of a Codex hook from standard input")
	flags.BoolVar(&r.quiet, "quiet", false, "say nothing and exit with 0 whatever happens")
	flags.DurationVar(&r.timeout, "timeout", reportTimeout, "`time` to wait for the proxy")
	cmd.MarkFlagsMutuallyExclusive("event", "codex-hook")
	return cmd
}

// quietReport reports whether a command line is a report that must not fail: an agent takes the exit code of its hook for a
// verdict, also when the arguments are wrong.
func quietReport(args []string) bool {
	return len(args) > 0 && args[0] == "report" && slices.ContainsFunc(args, func(arg string) bool { return arg == "--quiet" || arg == "--quiet=true" })
}

// body returns what to send, nil for nothing.
func (r *reporter) body(stdin io.Reader) ([]byte, error) {
	if r.event != "" {
		texts := make(map[string]string, len(r.attrs))
		for _, attr := range r.attrs {
			name, value, ok := strings.Cut(attr, "=")
			if !ok {
				return nil, fmt.Errorf("read attributes: %q is not name=value", attr)
			}
			texts[name] = value
		}
		return report.NewItem(r.event, texts)
	}
	if len(r.attrs) > 0 {
		return nil, errors.New("read attributes: --attr needs --event")
	}
	input, err := io.ReadAll(io.LimitReader(stdin, maxStdin+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read standard input: %w", err)
	case len(input) > maxStdin:
		return nil, fmt.Errorf("read standard input: want at most %d bytes", maxStdin)
	case r.hook:
		asked, err := openQuestions()
		if err != nil {
			return nil, err
		}
		return report.CodexHookItem(input, asked)
	case len(bytes.TrimSpace(input)) == 0:
		return nil, errors.New("read standard input: want an event as JSON, or --event")
	default:
		return input, nil
	}
}

// send posts a report and returns an error unless all of it was accepted; trouble is why what was accepted is in memory only
// although it should not be.
func (r *reporter) send(ctx context.Context, body []byte) (trouble string, err error) {
	target, err := endpoint(r.url)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("make report: %w", err)
	}
	req.Header.Set("Idempotency-Key", rand.Text())
	res, err := newClient().Do(req)
	if err != nil {
		return "", unreachable(target.Redacted(), err)
	}
	defer res.Body.Close()
	var answer report.Answer
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&answer); err != nil {
		return "", fmt.Errorf("send report: %s answered with status %d and is no codex-proxy", target.Redacted(), res.StatusCode)
	}
	if res.StatusCode == http.StatusAccepted && answer.Rejected == 0 {
		return answer.Trouble, nil
	}
	return answer.Trouble, rejection(res.StatusCode, &answer)
}

// endpoint returns where reports go to at a proxy. A URL with a path is taken as it is.
func endpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("read --url: want http://host:port")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = report.EventsPath
	}
	return u, nil
}

// unreachable explains why a proxy gave no answer.
func unreachable(target string, err error) error {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return fmt.Errorf("send report: no answer from %s in time", target)
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return fmt.Errorf("send report: no codex-proxy at %s: %w", target, err)
}

// rejection tells what was wrong with a report.
func rejection(status int, answer *report.Answer) error {
	text := shown(answer.Error)
	if text == "" {
		text = fmt.Sprintf("%d of %d items rejected", answer.Rejected, answer.Accepted+answer.Rejected)
	}
	for i, problem := range answer.Errors {
		if i == maxShownProblems {
			text += fmt.Sprintf("\n  and %d more", len(answer.Errors)-i+answer.ErrorsOmitted)
			break
		}
		text += "\n  " + strings.TrimPrefix(shown(problem.Field)+": ", ": ") + shown(problem.Message)
	}
	return fmt.Errorf("send report: status %d: %s", status, text)
}

// shown returns a text of an answer for a terminal. Whoever answered may be no proxy.
func shown(text string) string {
	text = printable(text)
	n := 0
	for at := range text {
		if n++; n > maxShown {
			return text[:at] + "…"
		}
	}
	return text
}
