package events

import (
	"reflect"
	"slices"
	"strings"
)

// Merge returns one record of a fact that was told twice: what report says, with
// the gaps filled from the other telling. Both events must have the same type.
//
// Where the two differ, the report is believed, since the agent knows of itself
// what others infer; the exceptions are in [settle]. Differences that neither
// telling's nature explains are named in [Remarks]. The fact happened
// no later than it was first observed. What belongs to the exchange (turn,
// response and request, the resource) and the id are the traffic's.
func Merge(report, other Record) Record {
	merged := report
	if report.Source != other.Source {
		merged.Source = SourceBoth
	}
	if other.Time.Before(report.Time) {
		merged.Time = other.Time
	}
	// A telling that is merged itself has what is the traffic's from there.
	seen := other.Source != SourceAgent && report.Source == SourceAgent
	if other.ID != "" && seen {
		merged.ID = other.ID
	}
	m := merger{}
	m.disagreed(report.Disagreement())
	m.disagreed(other.Disagreement())
	event := reflect.New(reflect.TypeOf(report.Event).Elem())
	told := untold(splitName(report.Event, other.Event), other, report.Scope.Profile)
	m.fields(event, reflect.ValueOf(told), reflect.ValueOf(splitName(other.Event, told)))
	merged.Event = event.Interface().(Event) //nolint:forcetypeassert // It is of the type of an Event.
	if starts, ok := merged.Event.(*ConversationStarts); ok && tellsAll(report.Event) {
		starts.ReasoningEffort = told.(*ConversationStarts).ReasoningEffort //nolint:forcetypeassert // It has the type of event.
	}
	if result, ok := merged.Event.(*ToolResult); ok {
		m.result(result, other.Event.(*ToolResult)) //nolint:forcetypeassert // Both have the same type.
	}

	scope := new(Scope)
	m.fields(reflect.ValueOf(scope), reflect.ValueOf(report.Scope), reflect.ValueOf(other.Scope))
	scope.Resource, scope.Profile = report.Scope.Resource, report.Scope.Profile
	if seen {
		scope.Resource = other.Scope.Resource
	}
	if !scope.Profile.Codex {
		scope.Profile = other.Scope.Profile
	}
	merged.Scope = scope

	merged.Remarks = remarks(m.extra(report.Extra(), other.Extra()), strings.Join(m.differ, separator))
	return merged
}

// separator stands between the names of a list.
const separator = ", "

// merger collects what is to be known of a merge.
type merger struct {
	differ   []string        // attributes told differently
	present  map[string]bool // attributes that have a field and a value
	replaced map[string]bool // attributes of which the report's value went
}

// fields sets the fields of target from two structs of its type.
func (m *merger) fields(target, report, other reflect.Value) {
	target.Elem().Set(report.Elem())
	if m.present == nil {
		m.present, m.replaced = make(map[string]bool), make(map[string]bool)
	}
	for _, f := range planFor(target.Elem().Type()) {
		if len(f.index) > 1 {
			continue // Only the traffic tells of those.
		}
		told, seen := report.Elem().FieldByIndex(f.index), other.Elem().FieldByIndex(f.index)
		hasTold, hasSeen := f.present(told), f.present(seen)
		m.present[f.name] = hasTold || hasSeen
		switch {
		case !hasSeen:
		case !hasTold:
			target.Elem().FieldByIndex(f.index).Set(seen)
		case !reflect.DeepEqual(told.Interface(), seen.Interface()):
			m.settle(f, target.Elem().FieldByIndex(f.index), told, seen)
		}
	}
}

// splitName returns event with the name of its tool split like that of other: older
// releases of Codex tell the namespace and the name in one.
func splitName(event, other Event) Event {
	split := func(name string, namespace *Opt[string], otherName string, otherNamespace Opt[string]) bool {
		if namespace.Set || !otherNamespace.Set {
			return false
		}
		joined := name == otherNamespace.Value+otherName || name == otherNamespace.Value+"__"+otherName
		if joined {
			*namespace = otherNamespace
		}
		return joined
	}
	switch told := event.(type) {
	case *ToolResult:
		same, copied := other.(*ToolResult), *told //nolint:forcetypeassert // Both have the same type.
		if split(told.ToolName, &copied.Namespace, same.ToolName, same.Namespace) {
			copied.ToolName = same.ToolName
			return &copied
		}
	case *ToolDecision:
		same, copied := other.(*ToolDecision), *told //nolint:forcetypeassert // Both have the same type.
		if split(told.ToolName, &copied.Namespace, same.ToolName, same.Namespace) {
			copied.ToolName = same.ToolName
			return &copied
		}
	}
	return event
}

// tellsAll reports whether an agent tells all that is configured, so that what it
// leaves out is not: Codex itself does, and it alone knows its provider. What its
// requests ask for then, nobody configured.
func tellsAll(event Event) bool {
	starts, ok := event.(*ConversationStarts)
	return ok && starts.ProviderName.Set
}

// untold returns event with the output that other has, where Codex tells that very
// output: cut, or in another form than it gave the model.
func untold(event Event, other Record, profile Profile) Event {
	result, ok := event.(*ToolResult)
	seen, isResult := other.Event.(*ToolResult)
	if !ok || !isResult {
		return event
	}
	if !profile.Codex {
		profile = other.Scope.Profile
	}
	asCodex := *seen
	asCodex.Success = seen.Success || seen.ProcessFailed
	if output, _ := codexOutput(&asCodex, profile); !output.Set || output != result.Output {
		return event
	}
	told := *result
	told.Output, told.Truncated = seen.Output, seen.Truncated
	return &told
}

// result completes a result with what is no attribute of its own.
func (m *merger) result(merged, other *ToolResult) {
	merged.ProcessFailed = merged.ProcessFailed || other.ProcessFailed
	merged.Interrupted = false // What an agent tells, Codex tells.
	if merged.ProcessFailed && merged.Success {
		// Codex calls every command of unified exec that ended a success.
		merged.Success = false
		m.agreed("success")
	}
	if m.replaced["output"] {
		merged.Truncated = other.Truncated
	}
	if m.replaced["tool_name"] {
		merged.Namespace = other.Namespace
	}
}

// settle decides between two values of an attribute.
func (m *merger) settle(f field, target, told, seen reflect.Value) {
	switch verdict := compare(f, told, seen); verdict {
	case takeReport:
	case takeOther:
		target.Set(seen)
		m.replaced[f.name] = true
	default:
		m.disagreed(f.name)
	}
}

// disagreed notes attributes, joined as [Remarks] has them.
func (m *merger) disagreed(names string) {
	for name := range strings.SplitSeq(names, separator) {
		if name != "" && !slices.Contains(m.differ, name) {
			m.differ = append(m.differ, name)
		}
	}
}

// agreed takes an attribute from those that differ.
func (m *merger) agreed(name string) {
	m.differ = slices.DeleteFunc(m.differ, func(differs string) bool { return differs == name })
}

// extra returns what the agent told beyond the catalogue, by whichever way.
func (m *merger) extra(told, more []Pair) []Pair {
	all := slices.Concat(told, more)
	kept := all[:0]
	seen := make(map[string]bool, len(all))
	for _, p := range all {
		if seen[p.Key] || m.present[p.Key] {
			continue
		}
		seen[p.Key] = true
		kept = append(kept, p)
	}
	return kept
}

// present reports whether the field has a value to tell.
func (f field) present(v reflect.Value) bool {
	switch {
	case f.kind >= kindOptString:
		return v.Field(1).Bool()
	case f.kind == kindString:
		return v.String() != ""
	default:
		return true
	}
}

// text returns the value of a field as a string, for comparing.
func (f field) text(v reflect.Value) string {
	if f.kind >= kindOptString {
		v = v.Field(0)
	}
	if v.Kind() == reflect.String {
		return v.String()
	}
	return ""
}
