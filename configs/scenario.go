package configs

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
	"github.com/imdad-telemetry/imdad/configs/scenarios"
)

// LoadScenario reads a play into the struct that into points to, as Load does:
// one that ships with Imdad by its name, or any from a file whose name ends in
// .yaml or .yml.
func LoadScenario(name string, into any) (*Document, error) {
	if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		return Load(name, into)
	}
	data, err := fs.ReadFile(scenarios.Files, name+".yaml")
	if err != nil {
		hint := "; give a file that ends in .yaml, or a shipped scenario: " + strings.Join(ShippedScenarios(), ", ")
		if near, ok := spelling.Nearest(name, ShippedScenarios()); ok {
			hint = "; did you mean \"" + near + "\"?"
		}
		return nil, Mistakes{mistakeIn(name, "no such scenario%s", hint)}
	}
	src, ms := newSource(name+".yaml", data)
	if ms != nil {
		return nil, ms.err()
	}
	doc, ms, _ := load(src, into)
	return doc, ms.err()
}

// ShippedScenarios lists the names of the plays that ship with Imdad.
func ShippedScenarios() []string {
	var names []string
	entries, err := fs.ReadDir(scenarios.Files, ".")
	if err != nil {
		panic("configs: read embedded scenarios: " + err.Error())
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Locate gives the parts of an error whose texts begin with the paths of keys
// in the document, as those of a Validate do, their positions.
func (d *Document) Locate(err error) error { return d.locate(err, nil).err() }
