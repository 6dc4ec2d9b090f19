package main

import (
	"fmt"
	"io"
	"strings"
)

// writeVerdicts prints the outcome of the checks, one column a check.
func writeVerdicts(w io.Writer, targets []Target, verdicts map[string][]Verdict) error {
	var rows [][]string
	var notes []string
	for i := range targets {
		target := targets[i]
		row, head := []string{target.Name}, []string{"target"}
		for _, verdict := range verdicts[target.Name] {
			head = append(head, verdict.Name)
			outcome := "ok"
			if verdict.Problem != "" {
				outcome = "FAIL"
				notes = append(notes, fmt.Sprintf("%s, %s: %s", target.Name, verdict.Name, verdict.Problem))
			}
			row = append(row, outcome)
		}
		if len(row) == 1 {
			continue // did not start
		}
		if rows == nil {
			rows = append(rows, head)
		}
		rows = append(rows, row)
	}
	if err := writeTable(w, "check", rows); err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintln(w, "-", note)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// writeTable prints rows as a Markdown table that also reads well as text.
func writeTable(w io.Writer, title string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	fmt.Fprintf(w, "### %s\n\n", title)
	for n, row := range rows {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(w, "| %-*s |", widths[i], cell)
			} else {
				fmt.Fprintf(w, " %*s |", widths[i], cell)
			}
		}
		fmt.Fprintln(w)
		if n == 0 {
			for i, width := range widths {
				if i == 0 {
					fmt.Fprintf(w, "|%s|", strings.Repeat("-", width+2))
				} else {
					fmt.Fprintf(w, "%s:|", strings.Repeat("-", width+1))
				}
			}
			fmt.Fprintln(w)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}
