package events

import (
	"bytes"
	"strconv"
)

// Image is an image in the output of a tool: a URL with its data.
type Image struct {
	URLBytes int    // length of the URL
	Payload  int    // length of the data in it, which is base64
	Start    string // of the URL, as much as a preview has, and one byte
}

// NewImage returns the image of a URL, nil for one without data. It keeps
// nothing of url.
func NewImage(url []byte) *Image {
	_, payload, ok := bytes.Cut(url, []byte(";base64,"))
	if !ok || !bytes.HasPrefix(url, []byte("data:")) {
		return nil
	}
	return &Image{URLBytes: len(url), Payload: len(payload), Start: string(url[:min(len(url), previewBytes+1)])}
}

// Omitted is what stands for the image in a text.
func (i *Image) Omitted() string { return omitted(i.URLBytes) }

func omitted(length int) string {
	return "<image data URL omitted: " + strconv.Itoa(length) + " bytes>"
}

// codexImage is what a release tells in the place of the image: nothing, then the
// URL itself, then the length of it, then the length of the URL that it has of
// the image before it knows its type.
func (i *Image) codexImage(profile Profile) string {
	switch {
	case profile.before(118): // 0.114 tells nothing, 0.121 the URL
		return ""
	case profile.before(132): // 0.131 tells the URL, 0.140 does not
		return i.Start
	case profile.before(142): // 0.141 tells the length of what the model gets, 0.142 does not
		return i.Omitted()
	default:
		return omitted(len("data:application/octet-stream;base64,") + i.Payload)
	}
}
