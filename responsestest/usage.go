package responsestest

// Usage is the token count of a response. Cached and CacheWrite are part of
// Input, Reasoning is part of Output.
type Usage struct {
	Input      int64 // usage.input_tokens
	Cached     int64 // usage.input_tokens_details.cached_tokens
	CacheWrite int64 // usage.input_tokens_details.cache_write_tokens; left out when zero, as older models do
	Output     int64 // usage.output_tokens
	Reasoning  int64 // usage.output_tokens_details.reasoning_tokens
	Total      int64 // usage.total_tokens; zero stands for Input + Output

	// NoDetails leaves both details objects out, so that the cached and the
	// reasoning count are absent rather than zero.
	NoDetails bool
}

type usageJSON struct {
	Input         int64          `json:"input_tokens"`
	InputDetails  *inputDetails  `json:"input_tokens_details,omitempty"`
	Output        int64          `json:"output_tokens"`
	OutputDetails *outputDetails `json:"output_tokens_details,omitempty"`
	Total         int64          `json:"total_tokens"`
}

type inputDetails struct {
	Cached     int64 `json:"cached_tokens"`
	CacheWrite int64 `json:"cache_write_tokens,omitempty"`
}

type outputDetails struct {
	Reasoning int64 `json:"reasoning_tokens"`
}

func (u Usage) json() usageJSON {
	v := usageJSON{Input: u.Input, Output: u.Output, Total: u.Total}
	if v.Total == 0 {
		v.Total = u.Input + u.Output
	}
	if !u.NoDetails {
		v.InputDetails = &inputDetails{Cached: u.Cached, CacheWrite: u.CacheWrite}
		v.OutputDetails = &outputDetails{Reasoning: u.Reasoning}
	}
	return v
}
