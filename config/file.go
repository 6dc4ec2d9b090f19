package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// maxFileBytes bounds the configuration file and each PEM file.
const maxFileBytes = 1 << 20

// readFile returns the document in the file called name, without a byte order mark. It reports what is wrong with
// the file; ok is false then, and when there is no file.
func readFile(name string, r *report) (document []byte, ok bool) {
	if name == "" {
		return nil, false
	}
	document, err := readBounded(name, false)
	if err != nil {
		r.problem(quoteLong(name), err.Error(), "")
		return nil, false
	}
	document = bytes.TrimPrefix(document, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(document) {
		line, column := firstInvalid(document)
		r.problem(position(name, line, column), "is not valid UTF-8", "save the file as UTF-8")
		return nil, false
	}
	return document, true
}

// readBounded returns the content of a file of at most maxFileBytes. Pipes are read unless regular is asked for. The
// error does not name the file, which may itself come from a variable.
func readBounded(name string, regular bool) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open file: %w", cause(err))
	case info.IsDir():
		return nil, errors.New("is a directory, want a file")
	case regular && !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", cause(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read file: %w", cause(err))
	}
	if len(content) > maxFileBytes {
		return nil, errors.New("is larger than 1 MiB")
	}
	return content, nil
}

// cause returns what is inside a path error, leaving the path out.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// syntax reports a document that is not TOML. Of the parser's error only the position and the message are used: its
// long form quotes the document.
func (r *report) syntax(name string, err error) {
	decodeErr, ok := errors.AsType[*toml.DecodeError](err)
	if !ok {
		r.problem(quoteLong(name), "is not TOML", "")
		return
	}
	line, column := decodeErr.Position()
	r.problem(position(name, line, column), "is not TOML: "+syntaxMessage(decodeErr), "")
}

// syntaxMessage cuts off what strconv appends: it repeats the number it was given.
func syntaxMessage(err *toml.DecodeError) string {
	message := strings.TrimPrefix(err.Error(), "toml: ")
	message, _, _ = strings.Cut(message, ": strconv.")
	return message
}

func position(name string, line, column int) string {
	return fmt.Sprintf("%s:%d:%d", quoteLong(name), line, column)
}

// firstInvalid returns the line and column, from 1, of the first byte that is not UTF-8.
func firstInvalid(document []byte) (line, column int) {
	line, column = 1, 1
	for len(document) > 0 {
		c, size := utf8.DecodeRune(document)
		switch {
		case c == utf8.RuneError && size == 1:
			return line, column
		case c == '\n':
			line, column = line+1, 1
		default:
			column++
		}
		document = document[size:]
	}
	return line, column
}
