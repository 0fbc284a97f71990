package configs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// LoadRegistry reads a registry's city files, given as paths or glob patterns,
// with the CSV lists of meters that they name, and cross-checks the whole. The
// error is of type Mistakes and holds all there are. No patterns make an empty
// registry.
func LoadRegistry(patterns []string) (*zone.Registry, error) {
	files, err := LoadFiles(patterns)
	if err != nil {
		return nil, err
	}
	return build(files)
}

// LoadFiles is LoadRegistry for those who change the cities before they build a
// registry of them. Meters from CSV lists are among the files' own.
func LoadFiles(patterns []string) ([]*zone.File, error) {
	return new(registryLoader).load(patterns)
}

func (l *registryLoader) load(patterns []string) ([]*zone.File, error) {
	paths, ms := expand(patterns)
	l.mistakes = ms
	for _, path := range paths {
		l.city(path)
	}
	return l.done()
}

// done cross-checks what was read.
func (l *registryLoader) done() ([]*zone.File, error) {
	if !l.incomplete {
		l.check()
	}
	if err := l.mistakes.err(); err != nil {
		return nil, err
	}
	return l.files, nil
}

func build(files []*zone.File) (*zone.Registry, error) {
	r, err := zone.New(files)
	if err != nil {
		return nil, fmt.Errorf("build registry: %w", err)
	}
	return r, nil
}

// expand returns the files that patterns name, each once, in order.
func expand(patterns []string) ([]string, Mistakes) {
	var paths []string
	var ms Mistakes
	for _, p := range patterns {
		matches, err := filepath.Glob(p)
		switch {
		case err != nil:
			ms = append(ms, mistakeIn(p, "bad pattern; see the brackets and backslashes"))
		case len(matches) == 0 && strings.ContainsAny(p, `*?[\`):
			ms = append(ms, mistakeIn(p, "matches no file"))
		case len(matches) == 0:
			ms = append(ms, mistakeIn(p, "no such file"))
		}
		for _, m := range matches {
			if m = filepath.Clean(m); !slices.Contains(paths, m) {
				paths = append(paths, m)
			}
		}
	}
	return paths, ms
}

// registryLoader gathers the files of a registry and remembers where
// everything stood.
type registryLoader struct {
	files    []*zone.File
	origins  []origin // one a file
	mistakes Mistakes
	lists    []string          // paths of the CSV lists
	instead  map[string][]byte // what CSV lists would hold, by path
	// incomplete is set when objects could not be read: what refers to them
	// would look dangling, so that the cross-checks would only add noise.
	incomplete bool
}

// origin says where a city file's parts came from.
type origin struct {
	doc    *Document
	unread spoiled
	inYAML int // meters before the CSV files' own
	lists  []*meterList
}

func (l *registryLoader) city(path string) {
	src, ms := readSource(path, maxYAML)
	if ms != nil {
		l.mistakes = append(l.mistakes, ms...)
		l.incomplete = true
		return
	}
	l.add(src, func(name string) (*source, Mistakes) {
		list := filepath.Clean(beside(path, name))
		l.lists = append(l.lists, list)
		if text, ok := l.instead[list]; ok {
			return newSource(list, text)
		}
		return readSource(list, maxCSV)
	})
}

// beside resolves the name of a CSV file against its city file.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}

// add decodes one city file and the CSV files it names.
func (l *registryLoader) add(src *source, open func(name string) (*source, Mistakes)) {
	var f zone.File
	doc, ms, unread := load(src, &f)
	l.mistakes = append(l.mistakes, ms...)
	if doc == nil {
		l.incomplete = true
		return
	}
	for path := range unread {
		l.incomplete = l.incomplete || hidesObjects(path)
	}
	o := origin{doc: doc, unread: unread, inYAML: len(f.Meters)}
	for i := range f.Meters {
		if at := fmt.Sprintf("meters[%d].interval_s", i); f.Meters[i].IntervalS == 0 && doc.Has(at) && !unread.covers(at) {
			l.mistakes = append(l.mistakes, Mistake{doc.At(at), at + ": 0 is impossible; give the seconds between messages, above 0"})
		}
	}
	for i, name := range f.MetersCSV {
		list, ms := readMeters(name, clockOf(f.City.Timezone), open)
		for j, m := range ms {
			if m.Line == 0 { // the file as a whole: point to who names it
				ms[j] = Mistake{doc.At(joinIndex("meters_csv", i)), m.String()}
			}
		}
		l.mistakes = append(l.mistakes, ms...)
		if list != nil {
			f.Meters = append(f.Meters, list.meters...)
			list.meters = nil
			o.lists = append(o.lists, list)
		}
	}
	f.MetersCSV = nil // they are in Meters now
	l.files = append(l.files, &f)
	l.origins = append(l.origins, o)
}

// clockOf is a city's clock; UTC where there is no such time zone, which is a
// mistake of its own.
func clockOf(timezone string) *time.Location {
	if timezone == "" {
		timezone = zone.DefaultTimezone
	}
	if loc, err := time.LoadLocation(timezone); err == nil {
		return loc
	}
	return time.UTC
}

// hidesObjects tells whether objects, or their ids, are lost with what stood
// at path: "feeders", "feeders[2]" or "feeders[2].id", but no single value.
func hidesObjects(path string) bool {
	for _, list := range []string{"meters", "rationing", "tankers"} {
		if strings.HasPrefix(path, list) {
			return false // nothing refers to these
		}
	}
	return !strings.Contains(path, ".") || strings.HasSuffix(path, ".id")
}

// check turns the registry's problems into mistakes with positions.
func (l *registryLoader) check() {
	for _, p := range zone.Check(l.files) {
		o := l.origins[p.File]
		if o.unread.covers(p.Path) {
			continue
		}
		at, path := o.locate(p.Path)
		message := path + ": " + p.Message
		if p.See != nil {
			see, _ := l.origins[p.See.File].locate(p.See.Path)
			message += fmt.Sprintf(" (see %s)", see)
		}
		l.mistakes = append(l.mistakes, Mistake{at, message})
	}
}

// locate finds the position of a problem's path, in the YAML file or, for a
// meter that came from a list, there; path is then the column alone.
func (o origin) locate(path string) (at Position, short string) {
	steps, _ := splitPath(path)
	if len(steps) < 2 || steps[0].key != "meters" || steps[1].index < o.inYAML {
		return o.doc.At(path), path
	}
	column := "id"
	switch {
	case len(steps) > 4 && steps[2].key == "replacements":
		column = replacementColumn(steps[4].key)
	case len(steps) > 2:
		column = steps[2].key
	}
	i := steps[1].index - o.inYAML
	for _, list := range o.lists {
		if i < len(list.offsets) {
			return list.at(i, column), column
		}
		i -= len(list.offsets)
	}
	return o.doc.At(path), path
}
