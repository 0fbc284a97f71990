package decode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// mappingProfile is the profile whose payloads the source explains.
const mappingProfile = "json"

// Mapping says where things are in the payloads of a source of the profile
// json; its Registers say what the values are. Paths are those of the whole
// payload, with keys and indexes joined by dots.
//
//	{"gw": "g7", "at": "23.11.2026 11:15:00", "meters": [{"sn": 4711, "kwh": 12.5}, …]}
//	json: {each: "meters.*", device: "meters.*.sn", time: at, layout: "02.01.2006 15:04:05"}
type Mapping struct {
	// Each is what is one reading: * is every element of an array or member of an
	// object. Empty: the whole payload.
	Each string `yaml:"each"`
	// Device is the path of the meter's name, or {key}: the key that a * of Each
	// stands for, the last one that is no index. Empty: the topic names the meter.
	Device string `yaml:"device"`
	// Time is the path of the time; empty: readings get the time of receipt.
	Time string `yaml:"time"`
	// Layout is rfc3339 (the default; a time without zone is local to the source's
	// timezone), unix, unix_ms, unix_us, unix_ns, or a layout of Go's package time.
	Layout string `yaml:"layout"`
	Seq    string `yaml:"seq"` // path of the message number
	// Unit is the path of the unit, where payloads name it. It is that of the
	// registers beside it and below: with *.unit, a.unit is that of a.value and of
	// a.values.0. It goes before the Unit of a register, which holds where a
	// message leaves it out. Registers without a unit in their name have none.
	Unit string `yaml:"unit"`
	// Name is the path of the names of values, where payloads have them beside the
	// values: with tags.*.name, tags.P.value is the value of the element of tags
	// whose name is P, wherever it stands there.
	Name string `yaml:"name"`
}

// mapping is a Mapping ready for use.
type mapping struct {
	each              []string
	device, time, seq []string
	unit, name        []string
	keyed             bool // the device is the key
	// branches are the beginnings of paths that lead into some of the readings
	// only: with each: data.*, data.water of data.water.v.
	branches [][]string
	moment
	location *time.Location
}

func newMapping(m Mapping, location *time.Location) (*mapping, []error) {
	c := &mapping{each: splitPath(m.Each), device: splitPath(m.Device), time: splitPath(m.Time), seq: splitPath(m.Seq), unit: splitPath(m.Unit), name: splitPath(m.Name), location: location}
	for _, path := range [][]string{c.device, c.time, c.seq, c.unit} {
		c.branch(path)
	}
	var errs []error
	if m.Device == "{key}" {
		c.device, c.keyed = nil, true
		if !slices.Contains(c.each, "*") {
			errs = append(errs, fmt.Errorf("json.device: {key} is what a * of json.each stands for; there is none"))
		}
	}
	if n := len(c.name); n > 0 && (n < 2 || c.name[n-2] != "*" || c.name[n-1] == "*") {
		errs = append(errs, fmt.Errorf("json.name: %q is no path that ends in the * for the named ones and the key of their names, such as tags.*.name", m.Name))
	}
	switch m.Layout {
	case "", "rfc3339":
		c.texts = true
	case "unix":
		c.perSecond = 1
	case "unix_ms":
		c.perSecond = 1e3
	case "unix_us":
		c.perSecond = 1e6
	case "unix_ns":
		c.perSecond = 1e9
	default:
		c.layout, c.texts = m.Layout, true
		// A layout without the year would date every reading to the year 0.
		now := time.Date(2026, 11, 23, 17, 4, 5, 0, time.UTC)
		if back, err := time.Parse(m.Layout, now.Format(m.Layout)); err != nil || back.Year() != now.Year() {
			errs = append(errs, fmt.Errorf("json.layout: %q is no layout with a year; write unix, unix_ms, rfc3339, or the time 2006-01-02 15:04:05 as the device would", m.Layout))
		}
	}
	if m.Layout != "" && m.Time == "" {
		errs = append(errs, fmt.Errorf("json.layout: goes with json.time, the path of the time"))
	}
	return c, errs
}

// wantsTime tells whether the mapping names the time. A nil mapping does not.
func (m *mapping) wantsTime() bool { return m != nil && len(m.time) > 0 }

// oneValueEach tells whether a reading is one named value of its meter.
func (m *mapping) oneValueEach() bool {
	return m != nil && len(m.name) > 0 && len(m.each) >= len(m.name)-1
}

// within tells whether a path leads into a reading, and how it goes on there.
func (m *mapping) within(path []string) (rest []string, inside bool) {
	if len(path) < len(m.each) || !fits(m.each, path[:len(m.each)]) {
		return path, false
	}
	return path[len(m.each):], true
}

// branch remembers the beginning of a path that leads into some of the readings
// only.
func (m *mapping) branch(path []string) {
	if _, within := m.within(path); !within || slices.Equal(path[:len(m.each)], m.each) {
		return
	}
	m.branches = append(m.branches, path[:len(m.each)])
}

// leads tells how a path goes on within the reading at item, if it leads there;
// or, where item is none, outside of the readings.
func (m *mapping) leads(path, item []string, inside bool) (rest []string, ok bool) {
	rest, within := m.within(path)
	return rest, within == inside && (!inside || len(m.branches) == 0 || fits(path[:len(m.each)], item))
}

// classify says what is at a path that no register names.
func (m *mapping) classify(keys, item []string, inside bool) field {
	at := func(path []string) bool {
		rest, ok := m.leads(path, item, inside)
		return len(path) > 0 && ok && fits(rest, keys)
	}
	switch {
	case at(m.time):
		return field{role: clock, name: "time", moment: m.moment}
	case at(m.device):
		return field{role: deviceID, name: "device"}
	case at(m.seq):
		return field{role: serial, name: "seq"}
	case at(m.name):
		return field{role: skipped}
	case at(m.unit):
		return field{role: note, name: strings.Join(keys, string(pathMark))}
	}
	return field{}
}

// leaveUnit leaves the unit of the register at keys to the message, if that may
// name it.
func (m *mapping) leaveUnit(f *field, r rule, keys, item []string, inside bool) {
	path, ok := m.leads(m.unit, item, inside)
	_, within := m.within(m.unit)
	if inside && within && !ok {
		return // the unit of other readings
	}
	if _, ok := meter.RegisterUnit(f.name); !ok || len(m.unit) == 0 || len(path) == 0 {
		return
	}
	beside := len(path) - 1
	switch {
	case within == inside && len(keys) > beside && fits(path[:beside], keys[:beside]):
		path = append(slices.Clone(keys[:beside]), path[beside])
	case inside && !within && !slices.Contains(path, "*"):
		// outside of the readings, that of all of them
	default:
		return
	}
	f.unitKey, f.unit = strings.Join(path, string(pathMark)), r.Unit
	f.convert = meter.Conversion{Factor: r.Scale, Offset: r.Offset}
}

// splitPath cuts a path at its dots; \. is a dot in a key.
func splitPath(path string) []string {
	if path == "" {
		return nil
	}
	const dot = "\x00"
	keys := strings.Split(strings.ReplaceAll(path, `\.`, dot), ".")
	for i := range keys {
		keys[i] = strings.ReplaceAll(keys[i], dot, ".")
	}
	return keys
}

// oneBased turns an index into what people count from.
func oneBased(key string) string {
	if i, err := strconv.Atoi(key); err == nil {
		return strconv.Itoa(i + 1)
	}
	return key
}

// mappedFormat is the profile json.
var mappedFormat = format{
	name:     mappingProfile,
	place:    func([]string, map[string]string) place { return place{} },
	classify: func([]string) field { return field{} },
}
