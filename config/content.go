package config

// Values of the modes of [content].
const (
	ContentAuto     = "auto"     // prompts only: as otel.log_user_prompt says
	ContentFull     = "full"     // the text
	ContentRedacted = "redacted" // [REDACTED]
	ContentHash     = "hash"     // a keyed hash of the text
	ContentOff      = "off"      // no attribute
)

// Content says what is told of prompts, and of the arguments and outputs of tools.
type Content struct {
	Prompts           string `mapstructure:"prompts" enum:"auto,full,redacted,hash,off" doc:"What is told of prompts beside their length. auto: full if otel.log_user_prompt is set, else redacted. hash: a keyed hash, equal for equal texts. off: no attribute."`
	Arguments         string `mapstructure:"arguments" enum:"full,redacted,hash,off" doc:"The same of the arguments of tools."`
	Outputs           string `mapstructure:"outputs" enum:"full,redacted,hash,off" doc:"The same of the outputs of tools."`
	MaxPromptBytes    int    `mapstructure:"max_prompt_bytes" min:"64" max:"524288" doc:"Most bytes told of a prompt. What is cut ends in a mark with its full size."`
	MaxArgumentsBytes int    `mapstructure:"max_arguments_bytes" min:"64" max:"524288" doc:"Most bytes told of arguments."`
	MaxOutputBytes    int    `mapstructure:"max_output_bytes" min:"64" max:"524288" doc:"Most bytes told of an output."`
	HashKey           Secret `mapstructure:"hash_key" doc:"Key of the hashes, at least 16 characters; with the same one everywhere hashes can be joined. Empty: one is made once and kept in the state directory."`
	RedactCredentials bool   `mapstructure:"redact_credentials" doc:"Replace credentials that are recognized in any text by [REDACTED:kind]."`
}

// Hashes reports whether anything is told as a hash.
func (c Content) Hashes() bool {
	return c.Prompts == ContentHash || c.Arguments == ContentHash || c.Outputs == ContentHash
}

// minHashKey is how many characters a key has at least.
const minHashKey = 16

func (v *validator) content() {
	c := v.cfg.Content
	if v.cfg.OTel.LogUserPrompt && c.Prompts != ContentAuto && c.Prompts != ContentFull {
		v.report.problem("content.prompts", "contradicts otel.log_user_prompt, which asks for the text of prompts", "keep one of them")
	}
	key := c.HashKey.Reveal()
	switch {
	case key != "" && len(key) < minHashKey:
		v.report.problem("content.hash_key", "is shorter than 16 characters", "a short key can be guessed, and with it what was hashed")
	case key != "" && !c.Hashes():
		v.report.warn("content.hash_key", "has no effect, since nothing is told as a hash", "")
	case key == "" && c.Hashes() && v.cfg.Store.InMemory() && !v.cfg.OTel.Exporter.None():
		v.report.problem("content.hash_key", "is needed, since no state directory keeps one", "set it, or store.dir")
	}
}
