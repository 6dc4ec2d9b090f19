package main

import "runtime/debug"

// buildVersion returns the version the linker was told, or else the one of the main module.
func buildVersion() string {
	if version != "" {
		return version
	}
	// A build of a working tree has no version.
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
