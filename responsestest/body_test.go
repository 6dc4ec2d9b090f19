package responsestest

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestDecodeIsBounded(t *testing.T) {
	plain := make([]byte, 1000)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	if _, err := zw.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	for encoding, body := range map[string][]byte{"gzip": zipped.Bytes(), "zstd": enc.EncodeAll(plain, nil)} {
		if got, err := decode(body, []string{encoding}, 1000); err != nil || len(got) != 1000 {
			t.Errorf("%s: decode() = %d bytes, %v; want 1000", encoding, len(got), err)
		}
		if _, err := decode(body, []string{encoding}, 999); err == nil || !strings.Contains(err.Error(), "more than 999 bytes") {
			t.Errorf("%s: decode() = %v; want the bound", encoding, err)
		}
	}
}
