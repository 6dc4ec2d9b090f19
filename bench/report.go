package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
)

func reportCommand(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	var results []Result
	rounds := 0 // rounds of a further file are further rounds
	for _, path := range flags.Args() {
		more, err := readResults(path)
		if err != nil {
			return err
		}
		before := rounds
		for i := range more {
			more[i].Round += before
			rounds = max(rounds, more[i].Round)
		}
		results = append(results, more...)
	}
	return writeReport(os.Stdout, results)
}

// readResults reads what compare wrote.
func readResults(path string) ([]Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var results []Result
	for decoder := json.NewDecoder(file); ; {
		var result Result
		err := decoder.Decode(&result)
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, result)
	}
}

// writeReport prints one table for every mode, of medians over the rounds and of sums where anything went wrong, and a line
// of totals.
func writeReport(w io.Writer, results []Result) error {
	var modes, targets []string
	for i := range results {
		result := &results[i]
		if !slices.Contains(modes, result.Mode) {
			modes = append(modes, result.Mode)
		}
		if !slices.Contains(targets, result.Target) {
			targets = append(targets, result.Target)
		}
	}
	for _, mode := range modes {
		columns, rounds := columnsOf(mode), roundsOf(results, mode)
		rows := [][]string{{"target", "rounds"}}
		for _, column := range columns {
			rows[0] = append(rows[0], column.head)
		}
		for _, target := range targets {
			runs := runsOf(results, mode, target)
			if len(runs) == 0 {
				continue
			}
			row := []string{target, fmt.Sprint(len(runs))}
			for _, column := range columns {
				row = append(row, column.cell(runs, rounds))
			}
			rows = append(rows, row)
		}
		if err := writeTable(w, mode, rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, totalsOf(results))
	return err
}

// roundsOf returns the runs of a mode by round and target.
func roundsOf(results []Result, mode string) map[int]map[string]Result {
	rounds := map[int]map[string]Result{}
	for i := range results {
		run := results[i]
		if run.Mode != mode {
			continue
		}
		if rounds[run.Round] == nil {
			rounds[run.Round] = map[string]Result{}
		}
		rounds[run.Round][run.Target] = run
	}
	return rounds
}

func runsOf(results []Result, mode, target string) []Result {
	var runs []Result
	for i := range results {
		if results[i].Mode == mode && results[i].Target == target {
			runs = append(runs, results[i])
		}
	}
	return runs
}
