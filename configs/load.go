package configs

import (
	"fmt"
	"reflect"
)

// Document is a file that was read, kept to find positions in it.
type Document struct {
	root *node
	src  *source
}

// Load reads the YAML file at path into the struct that into points to, whose
// fields name their keys in yaml tags. Absent keys leave their fields alone, so
// defaults are what into holds before the call. If into has a method
// Validate() error, it is called too.
//
// The error is of type Mistakes and holds all there are; into is then partly
// filled and must not be used.
func Load(path string, into any) (*Document, error) {
	s, ms := readSource(path, maxYAML)
	if ms != nil {
		return nil, ms.err()
	}
	doc, ms, _ := load(s, into)
	return doc, ms.err()
}

// load also returns the paths whose values could not be read, so that nobody
// complains of what is missing there.
func load(s *source, into any) (*Document, Mistakes, spoiled) {
	root, ms := parse(s)
	if root == nil {
		return nil, ms, nil
	}
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("configs: target must be a pointer to a struct, not %T", into))
	}
	doc := &Document{root, s}
	d := newDecoder()
	d.value(root, target.Elem(), "")
	ms = append(ms, d.mistakes...)
	if v, ok := into.(validator); ok {
		ms = append(ms, doc.locate(v.Validate(), d.spoiled)...)
	}
	return doc, ms, d.spoiled
}

// At returns the position of the key at path, such as "mqtt.brokers[0]", or of
// its nearest ancestor in the file.
func (d *Document) At(path string) Position {
	at, _ := d.find(path)
	return at
}

// Has tells whether the file gives the key at path.
func (d *Document) Has(path string) bool {
	_, ok := d.find(path)
	return ok
}
