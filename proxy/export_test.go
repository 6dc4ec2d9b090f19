package proxy

// Probe has f called wherever the handler looks at traffic, with the name of the place. A test may panic there.
func (h *Handler) Probe(f func(place string)) { h.probe = f }
