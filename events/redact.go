package events

// Redact is a Recorder that hides what may not be told before anything else
// sees it. It stands in front of every exporter, feed and store.
type Redact struct {
	Next Recorder
	// LogUserPrompt lets prompts pass; their length is told in any case.
	LogUserPrompt bool
}

var _ Recorder = Redact{}

// Record implements Recorder.
func (f Redact) Record(r Record) {
	if prompt, ok := r.Event.(*UserPrompt); ok && !f.LogUserPrompt {
		r.Event = &UserPrompt{Length: prompt.Length, Prompt: Redacted}
	}
	f.Next.Record(r)
}
