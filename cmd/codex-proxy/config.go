package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check or show the configuration",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("config needs a command: check FILE or show [FILE]")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check FILE",
		Short: "List every problem of a configuration file",
		Args:  cobra.ExactArgs(1),
		RunE:  failed(func(_ *cobra.Command, args []string) error { return a.checkConfig(args[0]) }),
	}, &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print the configuration with every key, credentials masked",
		Args:  cobra.MaximumNArgs(1),
		RunE: failed(func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.showConfig("")
			}
			return a.showConfig(args[0])
		}),
	})
	return cmd
}

func (a *app) checkConfig(file string) error {
	_, warnings, err := source{file: file}.load()
	for _, warning := range warnings {
		fmt.Fprintf(a.stderr, "warning: %v\n", warning)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s: ok\n", file)
	return err
}

func (a *app) showConfig(file string) error {
	cfg, _, err := source{file: file}.load()
	if err != nil {
		return err
	}
	text, err := cfg.TOML()
	if err != nil {
		return fmt.Errorf("show configuration: %w", err)
	}
	_, err = a.stdout.Write(text)
	return err
}
