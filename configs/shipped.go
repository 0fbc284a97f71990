package configs

import (
	_ "embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs/cities"
)

// ShippedRegistry returns the registry of one city as it ships with Imdad,
// from inside the program: id is the city's, such as "sheikh-najjar".
func ShippedRegistry(id string) (*zone.Registry, error) {
	f, err := ShippedFile(id)
	if err != nil {
		return nil, err
	}
	return build([]*zone.File{f})
}

// ShippedFile is ShippedRegistry for those who change the city, or add to it,
// before they build a registry of it. An error about an id that does not ship
// begins with the key city, as a scenario names it.
func ShippedFile(id string) (*zone.File, error) {
	if _, err := fs.Stat(cities.Files, id+".yaml"); err != nil {
		files, _ := fs.Glob(cities.Files, "*.yaml") // the pattern is right
		return nil, fmt.Errorf("city: there is no shipped city %q; use %s", id, strings.ReplaceAll(strings.Join(files, ", "), ".yaml", ""))
	}
	l := &registryLoader{}
	open := func(name string) (*source, Mistakes) {
		data, err := fs.ReadFile(cities.Files, name)
		if err != nil {
			return nil, Mistakes{mistakeIn(name, "%v", reason(err))}
		}
		return newSource(name, data)
	}
	src, ms := open(id + ".yaml")
	if ms != nil {
		return nil, ms.err()
	}
	l.add(src, open)
	files, err := l.done()
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

//go:embed people.yaml
var people []byte

// LoadShippedPeople fills into with the example people of Sheikh Najjar, as Load
// does with a file.
func LoadShippedPeople(into any) error {
	src, ms := newSource("people.yaml", people)
	if ms == nil {
		_, ms, _ = load(src, into)
	}
	return ms.err()
}
