package events

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTeeRecordsInOrder(t *testing.T) {
	var order []string
	note := func(name string) Recorder {
		return recorderFunc(func(r Record) { order = append(order, name+" "+r.ID) })
	}
	Tee{note("first"), Discard{}, note("second")}.Record(Record{ID: "a"})
	Tee(nil).Record(Record{ID: "b"})
	if diff := cmp.Diff([]string{"first a", "second a"}, order); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

type recorderFunc func(Record)

func (f recorderFunc) Record(r Record) { f(r) }

func TestSourceString(t *testing.T) {
	for source, want := range map[Source]string{SourceWire: "wire", SourceAgent: "agent", SourceBoth: "both"} {
		if got := source.String(); got != want {
			t.Errorf("Source(%d).String() = %q; want %q", source, got, want)
		}
	}
}

func TestID(t *testing.T) {
	// The value is fixed: a restart or an update does not change the id of a fact.
	if got, want := ID("conversation", "1"), "a2db86816e5256f2b394fb50d2084bc0"; got != want {
		t.Errorf("ID() = %q; want %q", got, want)
	}
	seen := map[string][]string{}
	for _, parts := range [][]string{nil, {""}, {"", ""}, {"a", "bc"}, {"ab", "c"}, {"abc"}, {"1:a"}, {"a", "1:b"}, {"a1:b"}} {
		id := ID(parts...)
		if len(id) != 32 {
			t.Errorf("ID(%q) = %q; want 32 characters", parts, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("ID(%q) = ID(%q)", parts, other)
		}
		seen[id] = parts
	}
}

func TestOpt(t *testing.T) {
	tests := []struct {
		name string
		got  string
		set  bool
		text string
		want bool
	}{
		{"absent int", Opt[int64]{Value: 3}.String(), Opt[int64]{Value: 3}.Set, "", false},
		{"zero int", Some(int64(0)).String(), Some(int64(0)).Set, "0", true},
		{"int", Int64(-7).String(), Int64(-7).Set, "-7", true},
		{"int32", Int64(int32(7)).String(), Int64(int32(7)).Set, "7", true},
		{"bool", Some(false).String(), Some(false).Set, "false", true},
		{"empty string", Some("").String(), Some("").Set, "", true},
		{"string", NonEmpty("x").String(), NonEmpty("x").Set, "x", true},
		{"no string", NonEmpty("").String(), NonEmpty("").Set, "", false},
	}
	for _, test := range tests {
		if test.got != test.text || test.set != test.want {
			t.Errorf("%s: String(), Set = %q, %t; want %q, %t", test.name, test.got, test.set, test.text, test.want)
		}
	}
}
