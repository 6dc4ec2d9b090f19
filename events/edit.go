package events

import "reflect"

// Edit says what is told in place of the text of an attribute: another text, or
// with false nothing. A text that has to be there is then empty.
type Edit func(key, text string) (told string, ok bool)

// EditEvent returns event with the texts among its attributes edited, event itself
// if they stay the same. What is not told is not edited, and neither is a [Foreign],
// whose attributes are in plain sight.
func EditEvent(event Event, edit Edit) Event {
	if _, ok := event.(*Foreign); ok {
		return event
	}
	edited, changed := editStruct(reflect.ValueOf(event), edit)
	if !changed {
		return event
	}
	return edited.Interface().(Event) //nolint:forcetypeassert // It has the type of event.
}

// EditScope returns scope with the texts among its attributes edited, scope itself
// if they stay the same. Its metadata and its resource are left as they are.
func EditScope(scope *Scope, edit Edit) *Scope {
	edited, changed := editStruct(reflect.ValueOf(scope), edit)
	if !changed {
		return scope
	}
	return edited.Interface().(*Scope) //nolint:forcetypeassert // It has the type of scope.
}

// editStruct edits a copy of the struct that v points to.
func editStruct(v reflect.Value, edit Edit) (edited reflect.Value, changed bool) {
	for _, f := range planFor(v.Type().Elem()) {
		if len(f.index) > 1 || f.kind != kindString && f.kind != kindOptString {
			continue // What is embedded has no texts.
		}
		field := v.Elem().FieldByIndex(f.index)
		if (f.kind == kindOptString || f.omit) && !f.present(field) {
			continue
		}
		text := f.text(field)
		told, ok := edit(f.name, text)
		if ok && told == text {
			continue
		}
		if !changed {
			edited, changed = reflect.New(v.Type().Elem()), true
			edited.Elem().Set(v.Elem())
		}
		target := edited.Elem().FieldByIndex(f.index)
		switch {
		case f.kind == kindString:
			target.SetString(told)
		case ok:
			target.Field(0).SetString(told)
		default:
			target.SetZero()
		}
	}
	return edited, changed
}
