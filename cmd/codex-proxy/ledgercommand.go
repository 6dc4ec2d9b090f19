package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) ledgerCommand() *cobra.Command {
	var url string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Show what became of every record of a running proxy",
		Args:  cobra.NoArgs,
		RunE: failed(func(cmd *cobra.Command, _ []string) error {
			return a.ledger(cmd.Context(), url, asJSON)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&url, "url", "http://127.0.0.1:8787", "`URL` of the proxy")
	flags.BoolVar(&asJSON, "json", false, "print the JSON as it is served")
	return cmd
}

const (
	ledgerTimeout  = 5 * time.Second
	maxLedgerBytes = 4 << 20
)

// ledger asks a proxy for its ledger and prints it.
func (a *app) ledger(ctx context.Context, url string, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+ledgerPath, http.NoBody)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	res, err := newClient().Do(req)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("read ledger: status %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxLedgerBytes))
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	var view ledgerView
	if err := json.Unmarshal(body, &view); err != nil {
		return errors.New("read ledger: the answer is no ledger")
	}
	if asJSON {
		_, err = a.stdout.Write(body)
		return err
	}
	return view.write(a.stdout)
}

// write writes the ledger as a table.
func (v ledgerView) write(w io.Writer) error {
	where := "in memory"
	switch {
	case v.Durable:
		where = "on disk"
	case v.Trouble != "":
		where += " (" + plain(v.Trouble) + ")"
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "event\tobserved\tdelivered\tqueued\tdropped\trejected\t")
	for _, name := range slices.Sorted(maps.Keys(v.Events)) {
		v.Events[name].write(table, name)
	}
	v.Total.write(table, "total")
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nqueued records are kept %s\n%s%s", where, reasons("dropped", v.Total.Dropped), reasons("rejected", v.Total.Rejected))
	if v.History != nil && err == nil {
		_, err = fmt.Fprintf(w, "history: %d records\n", v.History.Records)
	}
	return err
}

func (v accountView) write(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t\n", plain(name), v.Observed, v.Delivered, v.Queued, sum(v.Dropped), sum(v.Rejected))
}

// maxPlain bounds a name on a terminal.
const maxPlain = 128

// plain returns text that goes to a terminal without what that could take for a command. Names may be an agent's.
func plain(text string) string {
	if len(text) > maxPlain {
		text = text[:maxPlain] + "..."
	}
	return strings.Trim(strconv.QuoteToASCII(text), `"`)
}

// reasons lists why records of a kind never arrive, one line for each.
func reasons(kind string, counts map[string]int64) string {
	var b strings.Builder
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%s: %s %d\n", kind, plain(reason), counts[reason])
	}
	return b.String()
}

func sum(counts map[string]int64) int64 {
	var total int64
	for _, n := range counts {
		total += n
	}
	return total
}
