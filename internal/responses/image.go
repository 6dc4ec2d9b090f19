package responses

import "github.com/codex-proxy/codex-proxy/events"

// image returns the image that an item of KindOutput gives back, nil for none or
// for several.
func (i *Item) image() *events.Image {
	output := i.output[:skipValue(i.output, 0)]
	if len(output) == 0 || output[0] != '[' {
		return nil
	}
	var found *events.Image
	for part := range entries(output) {
		switch image := imageOf(part); {
		case image == nil:
		case found != nil:
			return nil
		default:
			found = image
		}
	}
	return found
}

// imageOf returns the image that a part of an output is, if it is one as a URL
// with data.
func imageOf(part []byte) *events.Image {
	for key, value := range fields(part) {
		if string(key) == "image_url" {
			return events.NewImage(unquoted(value))
		}
	}
	return nil
}
