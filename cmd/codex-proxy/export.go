package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

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
		to, err = newSending(cfg)
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

// historySink takes the history, request by request.
type historySink interface {
	write(ctx context.Context, request *collogpb.ExportLogsServiceRequest) error
	// close ends it, and tells what is to be said.
	close() (summary string, err error)
}
