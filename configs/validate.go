package configs

import (
	"strings"
)

type validator interface{ Validate() error }

// Section prefixes each of err's joined errors with key, so that a package's
// own Validate can speak of its section alone: "brokers[0]: …" becomes
// "mqtt.brokers[0]: …". It returns nil for nil.
func Section(key string, err error) error {
	if err == nil {
		return nil
	}
	var out sectionErrors
	for _, leaf := range leaves(err) {
		out = append(out, sectionError{key, leaf})
	}
	return out
}

// sectionErrors prints like errors.Join and unwraps like it.
type sectionErrors []error

func (e sectionErrors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

func (e sectionErrors) Unwrap() []error { return e }

type sectionError struct {
	key string
	err error
}

func (e sectionError) Unwrap() error { return e.err }

func (e sectionError) Error() string {
	text := e.err.Error()
	path, _, ok := cutPath(text)
	switch {
	case !ok:
		return e.key + ": " + text
	case strings.HasPrefix(path, "["):
		return e.key + text
	default:
		return e.key + "." + text
	}
}

// leaves returns the errors that err joins, however deeply; err itself if it
// joins none.
func leaves(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, leaves(e)...)
	}
	return out
}

// cutPath splits "key.path[0]: what is wrong".
func cutPath(text string) (path, message string, ok bool) {
	path, message, ok = strings.Cut(text, ": ")
	if !ok {
		return "", text, false
	}
	if _, ok = splitPath(path); !ok {
		return "", text, false
	}
	return path, message, true
}

// locate gives a Validate error's parts positions in the document, leaving out
// what was said of keys that could not be read.
func (d *Document) locate(err error, unread spoiled) Mistakes {
	if err == nil {
		return nil
	}
	var ms Mistakes
	for _, leaf := range leaves(err) {
		text := leaf.Error()
		path, _, ok := cutPath(text)
		if ok && unread.covers(path) {
			continue
		}
		ms = append(ms, Mistake{d.At(path), strings.ReplaceAll(text, "\n", "; ")})
	}
	return ms
}

// spoiled holds the paths of values that the decoder could not read.
type spoiled map[string]struct{}

// covers tells whether path or something above it is spoiled.
func (s spoiled) covers(path string) bool {
	for len(s) > 0 {
		if _, ok := s[path]; ok {
			return true
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return false
		}
		path = path[:cut]
	}
	return false
}
