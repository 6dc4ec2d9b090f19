//go:build !unix

package main

// undumpable does nothing: there are no core dumps to switch off.
func undumpable() error { return nil }
