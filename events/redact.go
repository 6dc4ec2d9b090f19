package events

// Redact is a Recorder that hides what may not be told before anything else
// sees it. It stands in front of every exporter, feed and store.
type Redact struct {
	Next Recorder
	// LogUserPrompt lets prompts pass; their length is told in any case.
	LogUserPrompt bool
}

var _ Recorder = Redact{}

// keyPrompt is the attribute that holds a prompt, in whatever record.
const keyPrompt = "prompt"

// Record implements Recorder.
func (f Redact) Record(r Record) {
	if !f.LogUserPrompt {
		r = redacted(r)
	}
	f.Next.Record(r)
}

// redacted returns r without prompts. What it was given stays as it is.
func redacted(r Record) Record {
	switch event := r.Event.(type) {
	case *UserPrompt:
		r.Event = &UserPrompt{Length: event.Length, Prompt: Redacted}
	case *Foreign:
		attributes, hidden := redactPairs(event.Attributes)
		body, hiddenBody := redactValue(event.Body)
		if hidden || hiddenBody {
			told := *event
			told.Attributes, told.Body = attributes, body
			r.Event = &told
		}
	}
	if extra, hidden := redactPairs(r.Extra()); hidden {
		r.Remarks = remarks(extra, r.Disagreement())
	}
	return r
}

// redactPairs returns pairs with the prompts among them, at any depth, replaced:
// a copy if there are any.
func redactPairs(pairs []Pair) (told []Pair, hidden bool) {
	told = pairs
	for i, p := range pairs {
		value, changed := redactValue(p.Value)
		if p.Key == keyPrompt {
			value, changed = Value{Kind: ValueText, Text: Redacted}, true
		}
		if !changed {
			continue
		}
		if !hidden {
			told, hidden = append([]Pair(nil), pairs...), true
		}
		told[i].Value = value
	}
	return told, hidden
}

func redactValue(v Value) (told Value, hidden bool) {
	switch v.Kind {
	case ValueMap:
		v.Map, hidden = redactPairs(v.Map)
	case ValueList:
		list := v.List
		for i, element := range list {
			value, changed := redactValue(element)
			if !changed {
				continue
			}
			if !hidden {
				v.List, hidden = append([]Value(nil), list...), true
			}
			v.List[i] = value
		}
	default:
	}
	return v, hidden
}
