package configs

import (
	"io/fs"

	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs/cities"
)

// ShippedRegistry returns the registry of one city as it ships with Imdad,
// from inside the program: id is the city's, such as "sheikh-najjar".
func ShippedRegistry(id string) (*zone.Registry, error) {
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
	if !l.incomplete {
		l.check()
	}
	if err := l.mistakes.err(); err != nil {
		return nil, err
	}
	return zone.New(l.files)
}
