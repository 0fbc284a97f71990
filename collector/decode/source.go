package decode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Source says which profile reads the messages of some topics, and whose
// readings they are.
//
// A level of a topic filter may be a capture: {zone} stands for + and keeps
// what was there, {meter#} at the end stands for # and keeps the rest. Zone and
// Meter are texts in which captures are put in; so are {device}, the name that
// the device goes by in its own messages, and {channel}, where it has several.
// The profile imdad takes all of it from the topic and uses none of these keys.
type Source struct {
	Name    string   `yaml:"name"`
	Topics  []string `yaml:"topics"` // MQTT filters, + and # and captures allowed
	Profile string   `yaml:"profile"`

	Zone  string `yaml:"zone"`  // default {zone}
	Meter string `yaml:"meter"` // default {meter} if that is captured, else {device}
	// Utility of the readings; empty: the capture {utility}, or what the profile
	// says. Registers may have their own.
	Utility  meter.Utility     `yaml:"utility"`
	Timezone string            `yaml:"timezone"` // IANA name, of times that name none; default Asia/Damascus
	Quality  string            `yaml:"quality"`  // good, estimated or suspect; default good
	Names    map[string]string `yaml:"names"`    // other meter ids, by what Meter and the channel make
	// Host is the id under which devices of the profile sparkplug-b know this
	// service as their host application: it says in a STATE message that it is
	// online. Empty: it says nothing, and reads along.
	Host string `yaml:"host"`

	Registers []Register `yaml:"registers"`
	JSON      *Mapping   `yaml:"json"` // of the profile json
}

// Register says what one value of a device's messages is. It goes before what
// the profile knows of it.
type Register struct {
	// Path of the value in the payload, its keys joined by dots; * is any one key
	// or index, and \. a dot in a key. In a profile of one value a message it is
	// the rest of the topic, with dots for slashes; empty: the value itself.
	Path string `yaml:"path"`
	// Register is the name it is stored under, or - for nothing. In it {n} is the
	// index, from 1, and {key} the key that the last * of the path stood for.
	Register string        `yaml:"register"`
	Unit     string        `yaml:"unit"`  // as sent; converted into the one in the register's name
	Scale    float64       `yaml:"scale"` // value = sent · scale + offset, before the unit; 0 is 1
	Offset   float64       `yaml:"offset"`
	Utility  meter.Utility `yaml:"utility"` // empty: the source's
	// Enum gives numbers for words, such as {"open": 1, "closed": 0}.
	Enum map[string]float64 `yaml:"enum"`
}

// defaultTimezone is where the cities are.
const defaultTimezone = "Asia/Damascus"

// Profiles lists the names that Source.Profile may have.
func Profiles() []string {
	names := []string{"imdad"}
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Filters returns the topic filters as a broker understands them.
func (s Source) Filters() []string {
	filters := make([]string, len(s.Topics))
	for i, t := range s.Topics {
		filters[i] = newPattern(t).filter
	}
	if s.Host != "" && !slices.Contains(filters, HostTopic(s.Host)) {
		filters = append(filters, HostTopic(s.Host))
	}
	return filters
}

// Validate reports every mistake in the source, keyed by its field.
func (s Source) Validate() []error {
	var errs []error
	if !meter.ValidID(s.Name) {
		errs = append(errs, fmt.Errorf("name: %q is not a legal name; use letters, digits and ._:-", s.Name))
	}
	if len(s.Topics) == 0 {
		errs = append(errs, fmt.Errorf("topics: no topic filter; the native one is imdad/v1/#"))
	}
	for i, filter := range s.Topics {
		if err := checkTopic(filter); err != nil {
			errs = append(errs, fmt.Errorf("topics[%d]: %w", i, err))
		}
	}
	if !slices.Contains(Profiles(), s.Profile) {
		errs = append(errs, fmt.Errorf("profile: unknown profile %q; known: %s", s.Profile, strings.Join(Profiles(), ", ")))
	}
	if len(errs) > 0 {
		return errs
	}
	if s.Profile == "imdad" {
		return s.validateNative()
	}
	_, errs = compile(s)
	return errs
}

// validateNative refuses the keys that the native profile has no use for.
func (s Source) validateNative() []error {
	var errs []error
	unused := func(key string, set bool) {
		if set {
			errs = append(errs, fmt.Errorf("%s: the profile imdad takes this from its own topics and payloads", key))
		}
	}
	unused("zone", s.Zone != "")
	unused("meter", s.Meter != "")
	unused("utility", s.Utility != "")
	unused("timezone", s.Timezone != "")
	unused("quality", s.Quality != "")
	unused("names", len(s.Names) > 0)
	unused("host", s.Host != "")
	unused("registers", len(s.Registers) > 0)
	unused("json", s.JSON != nil)
	for i, t := range s.Topics {
		if newPattern(t).filter != t {
			errs = append(errs, fmt.Errorf("topics[%d]: the profile imdad knows what its levels mean; write + or #", i))
		}
	}
	return errs
}

// compiled is a source ready for use.
type compiled struct {
	profile  string
	name     string
	host     string // of the profile sparkplug-b
	patterns []pattern
	native   bool
	format   *format
	zone     template
	meter    template
	utility  meter.Utility
	location *time.Location
	quality  meter.Quality
	names    map[string]string
	rules    []rule
	mapping  *mapping
	reader   *reader
	special  special
}

// compile works out what a source means. The errors begin with the key.
func compile(s Source) (*compiled, []error) {
	c := &compiled{name: s.Name, profile: s.Profile, host: s.Host, native: s.Profile == "imdad", names: s.Names}
	for _, t := range s.Topics {
		c.patterns = append(c.patterns, newPattern(t))
	}
	if c.native {
		return c, nil
	}
	for i := range formats {
		if formats[i].name == s.Profile {
			c.format = &formats[i]
		}
	}
	var errs []error
	wrong := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	var err error
	c.location, err = time.LoadLocation(orElse(s.Timezone, defaultTimezone))
	wrong("timezone", err)
	c.quality, err = parseQuality(s.Quality)
	wrong("quality", err)
	errs = append(errs, c.nameMeters(s)...)
	for i, r := range s.Registers {
		compiled, err := newRule(r)
		if err != nil {
			errs = append(errs, fmt.Errorf("registers[%d].%w", i, err))
			continue
		}
		c.rules = append(c.rules, compiled)
	}
	if s.Profile == valueFormat.name {
		wrong("registers", c.namesValue(s))
	}
	wrong("host", checkHost(s))
	if mapped := s.Profile == mappingProfile; mapped != (s.JSON != nil) {
		wrong("json", fmt.Errorf("goes with the profile %s, and that with it", mappingProfile))
	} else if mapped {
		var mistakes []error
		c.mapping, mistakes = newMapping(*s.JSON, c.location)
		errs = append(errs, mistakes...)
		for _, r := range c.rules {
			c.mapping.branch(r.keys)
		}
	}
	return c, errs
}

// nameMeters works out how zone, utility and meter are found.
func (c *compiled) nameMeters(s Source) []error {
	var errs []error
	captured := func(name string) bool {
		for _, p := range c.patterns {
			if !p.captures(name) {
				return false
			}
		}
		return true
	}
	known := func(name string) bool {
		return captured(name) || name == "channel" || slices.Contains(c.format.names, name) || name == "device" && (c.format.device || s.JSON != nil && s.JSON.Device != "")
	}
	zone, meterName := s.Zone, s.Meter
	if zone == "" && !captured("zone") {
		zone = c.format.zone
	}
	if zone == "" {
		zone = "{zone}"
	}
	if meterName == "" && captured("meter") {
		meterName = "{meter}"
	} else if meterName == "" {
		meterName = "{device}"
	}
	var err error
	if c.zone, err = newTemplate(zone, known); err != nil {
		errs = append(errs, fmt.Errorf("zone: %w", err))
	}
	if c.meter, err = newTemplate(meterName, known); err != nil {
		errs = append(errs, fmt.Errorf("meter: %w", err))
	}
	for device, id := range s.Names {
		if !meter.ValidID(id) {
			errs = append(errs, fmt.Errorf("names.%s: %q is not a legal meter id", device, id))
		}
	}
	c.utility = s.Utility
	switch {
	case s.Utility != "" && !s.Utility.Valid():
		errs = append(errs, fmt.Errorf("utility: unknown utility %q; known: %v", s.Utility, meter.Utilities))
	case s.Utility == "" && !captured("utility") && c.format.utility == "" && !c.format.tellsUtility:
		errs = append(errs, fmt.Errorf("utility: the profile %s does not say; name one of %v", s.Profile, meter.Utilities))
	}
	return errs
}

func parseQuality(s string) (meter.Quality, error) {
	switch s {
	case "", "good":
		return meter.Good, nil
	case "estimated":
		return meter.Estimated, nil
	case "suspect":
		return meter.Suspect, nil
	}
	return 0, errors.New("want good, estimated or suspect")
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Sketch returns the least source that reads one topic with a profile, to try
// payloads before there is a configuration: zone is called zone, and so on,
// where nothing says otherwise.
func Sketch(profile, topic string) Source {
	s := Source{Name: "sketch", Topics: []string{topic}, Profile: profile}
	if profile == "imdad" {
		return s
	}
	s.Zone, s.Meter = "zone", "meter"
	if profile == sparkplugB {
		s.Zone, s.Meter = "", "" // its topics name both
	}
	levels := strings.Split(topic, "/")
	for i := range formats {
		f := &formats[i]
		if f.name != profile {
			continue
		}
		if f.utility == "" && !f.tellsUtility {
			s.Utility = meter.Electricity
		}
		if p := f.place(levels, make(map[string]string)); f.device && (p.device != "" || p.deviceAt || f.tellsUtility) {
			s.Meter = "{device}"
		}
	}
	switch profile {
	case mappingProfile:
		s.JSON = &Mapping{}
	case valueFormat.name:
		levels[len(levels)-1] = "{register}"
		s.Topics[0] = strings.Join(levels, "/")
	}
	return s
}
