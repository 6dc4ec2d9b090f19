package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/plog"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/codex-proxy/codex-proxy/internal/console"
	"github.com/codex-proxy/codex-proxy/internal/store"
)

// The formats of an export.
const (
	formatJSONL = "jsonl"
	formatOTLP  = "otlp"
)

// export replays the history.
type export struct {
	source        source
	dir           string
	since, until  string
	conversations []string
	events        []string
	format        string
	send          bool
}

func (a *app) exportCommand() *cobra.Command {
	x := export{source: source{anywhere: true}}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the history, or send it to the collector again",
		Long: "Export reads the history that a proxy with store.history = true keeps, also while it runs, oldest first. As jsonl each event is\n" +
			"one object, the same as of tail --json; as otlp each line is a request as the Collector's otlpjsonfile receiver reads it.",
		Example: "  codex-proxy export --since 24h\n" +
			"  codex-proxy export --since 2026-03-01 --until 2026-03-02 --event tool_result\n" +
			"  codex-proxy export --since 7d --format otlp >history.json\n" +
			"  codex-proxy export --since 24h --send --config codex-proxy.toml",
		Args: cobra.NoArgs,
		RunE: failed(func(cmd *cobra.Command, _ []string) error { return a.export(cmd.Context(), &x) }),
	}
	x.source.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&x.dir, "dir", "", "state `directory`, in place of the configured one")
	flags.StringVar(&x.since, "since", "", "only events since a `time`: how long ago (90m, 7d), a date, or RFC 3339")
	flags.StringVar(&x.until, "until", "", "only events before a `time`, of the same form")
	flags.StringSliceVar(&x.conversations, "conversation", nil, "only conversations with this `id`")
	flags.StringSliceVar(&x.events, "event", nil, "only events of this `name`, such as sse_event")
	flags.StringVar(&x.format, "format", formatJSONL, "`format` of the output: jsonl or otlp")
	flags.BoolVar(&x.send, "send", false, "send to the configured exporter in place of printing")
	cmd.MarkFlagsMutuallyExclusive("format", "send")
	for _, name := range []string{"listen", "upstream"} {
		_ = cmd.Flags().MarkHidden(name) // They are flags of the configuration, and of no use here.
	}
	return cmd
}

// export reads, filters and writes.
func (a *app) export(ctx context.Context, x *export) error {
	filter, err := x.filter(time.Now())
	if err != nil {
		return err
	}
	if x.format != formatJSONL && x.format != formatOTLP {
		return fmt.Errorf("export: want --format jsonl or otlp; got %s", strconv.QuoteToASCII(x.format))
	}
	cfg, _, err := x.source.load()
	if err != nil {
		return err
	}
	dir := x.dir
	if dir == "" {
		if cfg.Store.InMemory() {
			return errors.New("export: store.dir keeps everything in memory; --dir names a directory with a history")
		}
		if dir, err = storeDir(cfg); err != nil {
			return err
		}
	}
	reader, err := store.OpenReader(ctx, dir)
	if errors.Is(err, store.ErrNoHistory) {
		return fmt.Errorf("%w; a proxy with store.history = true keeps one", err)
	}
	if err != nil {
		return err
	}
	defer reader.Close()
	var to historySink
	if x.send {
		to, err = newSending(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
	} else {
		to = &printing{out: bufio.NewWriterSize(a.stdout, 64<<10), format: x.format}
	}
	damaged, err := reader.Each(ctx, filter.since, filter.until, func(raw []byte) error {
		request := new(collogpb.ExportLogsServiceRequest)
		if err := proto.Unmarshal(raw, request); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		if filter.apply(request); len(request.GetResourceLogs()) == 0 {
			return nil
		}
		return to.write(ctx, request)
	})
	if damaged > 0 {
		fmt.Fprintf(a.stderr, "codex-proxy: %d parts of the history are damaged and left out\n", damaged)
	}
	summary, closeErr := to.close()
	if summary != "" {
		fmt.Fprintln(a.stderr, "codex-proxy: "+summary)
	}
	return errors.Join(err, closeErr)
}

// filter returns what the flags ask for.
func (x *export) filter(now time.Time) (*historyFilter, error) {
	f := &historyFilter{conversations: x.conversations}
	for _, name := range x.events {
		if !strings.Contains(name, ".") {
			name = "codex." + name
		}
		f.events = append(f.events, name)
	}
	for flag, to := range map[string]*time.Time{"since": &f.since, "until": &f.until} {
		text := map[string]string{"since": x.since, "until": x.until}[flag]
		if text == "" {
			continue
		}
		at, err := moment(text, now)
		if err != nil {
			return nil, fmt.Errorf("export: --%s: %w", flag, err)
		}
		*to = at
	}
	return f, nil
}

// moment reads a time as people say it: how long ago, a date here, or RFC 3339.
func moment(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 1e5 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("want 90m, 7d, 2006-01-02 or RFC 3339; got %s", strconv.QuoteToASCII(text))
}

// historySink takes the history, request by request.
type historySink interface {
	write(ctx context.Context, request *collogpb.ExportLogsServiceRequest) error
	// close ends it, and tells what is to be said.
	close() (summary string, err error)
}

// printing prints.
type printing struct {
	out    *bufio.Writer
	format string
	line   []byte
}

func (p *printing) write(_ context.Context, request *collogpb.ExportLogsServiceRequest) error {
	if p.format == formatOTLP {
		return p.writeOTLP(request)
	}
	for _, resource := range request.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				p.line = append(console.AppendLogRecord(p.line[:0], record), '\n')
				if _, err := p.out.Write(p.line); err != nil {
					return fmt.Errorf("print history: %w", err)
				}
			}
		}
	}
	return nil
}

// writeOTLP prints a line of OTLP/JSON, which is not protobuf's own JSON.
func (p *printing) writeOTLP(request *collogpb.ExportLogsServiceRequest) error {
	raw, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	if _, err := p.out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("print history: %w", err)
	}
	return nil
}

func (p *printing) close() (string, error) { return "", p.out.Flush() }

// historyFilter is what is asked for.
type historyFilter struct {
	since, until          time.Time
	conversations, events []string
}

// apply removes what is not asked for.
func (f *historyFilter) apply(request *collogpb.ExportLogsServiceRequest) {
	request.ResourceLogs = slices.DeleteFunc(request.ResourceLogs, func(resource *resourceLogs) bool {
		resource.ScopeLogs = slices.DeleteFunc(resource.ScopeLogs, func(scope *scopeLogs) bool {
			scope.LogRecords = slices.DeleteFunc(scope.LogRecords, func(r *logRecord) bool { return !f.wants(r) })
			return len(scope.GetLogRecords()) == 0
		})
		return len(resource.GetScopeLogs()) == 0
	})
}

// wants reports whether a record is asked for.
func (f *historyFilter) wants(r *logRecord) bool {
	at := console.RecordTime(r)
	if at.Unix() <= 0 {
		at = f.since // Written in that time, for all that is known.
	}
	if !f.since.IsZero() && at.Before(f.since) || !f.until.IsZero() && !at.Before(f.until) {
		return false
	}
	name, conversation := r.GetEventName(), ""
	for _, kv := range r.GetAttributes() {
		switch kv.GetKey() {
		case "event.name":
			name = kv.GetValue().GetStringValue()
		case "conversation.id":
			conversation = kv.GetValue().GetStringValue()
		}
	}
	return (len(f.events) == 0 || slices.Contains(f.events, name)) &&
		(len(f.conversations) == 0 || slices.Contains(f.conversations, conversation))
}
