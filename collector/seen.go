package collector

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// seenName is the file in the data directory with the unregistered meters that
// were seen.
const seenName = "seen.json"

// What is remembered of unregistered meters. 10,000 of them with 10 registers
// and payloads of 300 bytes take about 10 MB, with full payloads 30 MB.
const (
	maxSeen          = 10_000
	maxSeenRegisters = 100     // of one meter; further ones are not listed
	maxSeenPayload   = 2 << 10 // bytes; the start is kept
	refreshSeenEvery = int64(time.Minute / time.Millisecond)
	seenVersion      = 1
)

// Sighting is an unregistered meter that was seen: what a person needs to
// register it. Payload, topic and each value are refreshed once a minute at most.
type Sighting struct {
	Zone      string         `json:"zone"`
	Utility   meter.Utility  `json:"utility"`
	Meter     string         `json:"meter"`
	Source    string         `json:"source"`  // that brought it last
	Profile   string         `json:"profile"` // of that source
	Topic     string         `json:"topic"`   // a late one; there may be others
	First     time.Time      `json:"first"`   // receipt of its first reading
	Last      time.Time      `json:"last"`    // receipt of its last reading
	Readings  int64          `json:"readings"`
	Registers []SeenRegister `json:"registers"` // in the order of their first sight
	// Payload is the start of a late message, if that is text, and PayloadBase64
	// if not. PayloadBytes is the size of the whole.
	Payload       string `json:"payload,omitempty"`
	PayloadBase64 []byte `json:"payload_base64,omitempty"`
	PayloadBytes  int    `json:"payload_bytes"`
}

// SeenRegister is one register of a meter, with a late value in the unit that
// its name ends with.
type SeenRegister struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// sightings remembers the unregistered meters of the stream, within a bound; the
// one that was silent longest goes first. It is safe for concurrent use.
type sightings struct {
	mu       sync.Mutex
	registry *zone.Registry
	meters   map[seenMeter]*sighting
	series   []*sighting // by Series.Index: nil is not looked up yet
	known    sighting    // stands in series for each registered meter
}

type seenMeter struct {
	zone    string
	utility meter.Utility
	id      string
}

// sighting is one meter. Times are in ms since the epoch.
type sighting struct {
	source, profile, topic string
	first, last, refreshed int64
	readings               int64
	registers              []seenRegister
	payload                []byte // its start; replaced, never changed
	payloadBytes           int
	gone                   bool   // evicted
	count                  int    // values of the reading looked at last
	head                   string // its first register
}

type seenRegister struct {
	SeenRegister
	at int64
}

func newSightings() *sightings { return &sightings{meters: map[seenMeter]*sighting{}} }

// use puts a registry in force and forgets the meters that it knows.
func (s *sightings) use(registry *zone.Registry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registry == registry {
		return
	}
	s.registry = registry
	clear(s.series)
	s.forgetRegistered()
}

func (s *sightings) forgetRegistered() {
	maps.DeleteFunc(s.meters, func(m seenMeter, _ *sighting) bool { return s.registered(m) })
}

func (s *sightings) registered(m seenMeter) bool {
	if s.registry == nil {
		return false
	}
	_, ok := s.registry.Meter(m.zone, m.utility, m.id)
	return ok
}

// note takes down what a message has brought, at a time in ms. The readings of
// registered meters are passed over. It keeps topic, source and profile, and
// copies of the rest.
func (s *sightings) note(topic string, payload []byte, received int64, source, profile string, readings []meter.Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range readings {
		r := &readings[i]
		seen := s.of(r.Series, received)
		if seen == &s.known {
			continue
		}
		seen.last = received
		seen.readings++
		fresh := !due(seen.refreshed, received)
		if fresh && seen.alike(r.Values) {
			continue
		}
		seen.values(r.Values, received)
		if !fresh {
			seen.refreshed = received
			seen.topic, seen.source, seen.profile = topic, source, profile
			seen.payload, seen.payloadBytes = bytes.Clone(payload[:min(len(payload), maxSeenPayload)]), len(payload)
		}
	}
}

// due tells whether what was refreshed at a time is to be refreshed now; a clock
// that was set back must not put it off.
func due(refreshed, now int64) bool {
	return now-refreshed >= refreshSeenEvery || now < refreshed
}

// of is what is known of a meter; &s.known for one that is registered.
func (s *sightings) of(series *meter.Series, received int64) *sighting {
	if series.Index < len(s.series) {
		if seen := s.series[series.Index]; seen != nil && !seen.gone {
			return seen
		}
	} else {
		s.series = append(s.series, make([]*sighting, series.Index+1-len(s.series))...)
	}
	m := seenMeter{series.Zone, series.Utility, series.Meter}
	seen := s.meters[m]
	switch {
	case seen != nil:
	case s.registered(m):
		seen = &s.known
	default:
		s.makeRoom()
		seen = &sighting{first: received, refreshed: received - refreshSeenEvery}
		s.meters[m] = seen
	}
	s.series[series.Index] = seen
	return seen
}

// makeRoom forgets those that were silent longest when the bound is met; some at
// once, so that a flood of new names does not sort for each.
func (s *sightings) makeRoom() {
	if len(s.meters) < maxSeen {
		return
	}
	bySilence := slices.SortedFunc(maps.Keys(s.meters), func(a, b seenMeter) int {
		return cmp.Compare(s.meters[a].last, s.meters[b].last)
	})
	for _, m := range bySilence[:maxSeen/16] {
		s.meters[m].gone = true
		delete(s.meters, m)
	}
}

// alike tells whether values look like those looked at last: as many, beginning
// with the same register. Should they differ in the middle, the next minute will
// show it.
func (s *sighting) alike(values []meter.Value) bool {
	return len(values) == s.count && (s.count == 0 || values[0].Register == s.head)
}

// values takes down the registers of a reading.
func (s *sighting) values(values []meter.Value, received int64) {
	s.count = len(values)
	for i := range values {
		s.value(i, &values[i], received)
	}
	if s.count > 0 {
		s.head = s.name(values[0].Register)
	}
}

// name is the copy of a register's name that is kept, "" for one that is not.
func (s *sighting) name(register string) string {
	for i := range s.registers {
		if s.registers[i].Name == register {
			return s.registers[i].Name
		}
	}
	return ""
}

// value takes down a register, which most often stands where it did before.
func (s *sighting) value(place int, v *meter.Value, received int64) {
	if place >= len(s.registers) || s.registers[place].Name != v.Register {
		place = slices.IndexFunc(s.registers, func(r seenRegister) bool { return r.Name == v.Register })
	}
	if place < 0 {
		if len(s.registers) < maxSeenRegisters {
			s.registers = append(s.registers, seenRegister{SeenRegister{strings.Clone(v.Register), v.Value}, received})
		}
		return
	}
	if r := &s.registers[place]; due(r.at, received) {
		r.Value, r.at = v.Value, received
	}
}

// list returns what is known, in the order of zone, utility and meter.
func (s *sightings) list() []Sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Sighting, 0, len(s.meters))
	for m, seen := range s.meters {
		all = append(all, seen.export(m))
	}
	slices.SortFunc(all, func(a, b Sighting) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Utility, b.Utility), cmp.Compare(a.Meter, b.Meter))
	})
	return all
}

func (s *sighting) export(m seenMeter) Sighting {
	out := Sighting{
		Zone: m.zone, Utility: m.utility, Meter: m.id, Source: s.source, Profile: s.profile, Topic: s.topic,
		First: time.UnixMilli(s.first).UTC(), Last: time.UnixMilli(s.last).UTC(), Readings: s.readings,
		Registers: make([]SeenRegister, len(s.registers)), PayloadBytes: s.payloadBytes,
	}
	for i, r := range s.registers {
		out.Registers[i] = r.SeenRegister
	}
	if text, ok := asText(s.payload, s.payloadBytes); ok {
		out.Payload = text
	} else {
		out.PayloadBase64 = s.payload
	}
	return out
}

// asText gives the start of a payload of size bytes without a character that was
// cut in two; not ok means that it is no text.
func asText(start []byte, size int) (text string, ok bool) {
	for cut := 0; cut < utf8.UTFMax && cut <= len(start); cut++ {
		if whole := start[:len(start)-cut]; utf8.Valid(whole) && !bytes.ContainsRune(whole, 0) {
			return string(whole), true
		}
		if len(start) == size {
			break
		}
	}
	return "", false
}

// seenFile is the content of seenName.
type seenFile struct {
	Version int        `json:"version"`
	Meters  []Sighting `json:"meters"`
}

// save writes what is known as JSON that people can read.
func (s *sightings) save(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(seenFile{Version: seenVersion, Meters: s.list()}); err != nil {
		return fmt.Errorf("write the meters that were seen: %w", err)
	}
	return nil
}

// load adds what save has written. What is known of a meter already stays.
func (s *sightings) load(r io.Reader) error {
	all, err := readSightings(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range all {
		g := &all[i]
		m := seenMeter{g.Zone, g.Utility, g.Meter}
		if _, ok := s.meters[m]; ok || len(s.meters) >= maxSeen {
			continue
		}
		s.meters[m] = g.restore()
	}
	s.forgetRegistered()
	return nil
}

func (g *Sighting) restore() *sighting {
	s := &sighting{
		source: g.Source, profile: g.Profile, topic: g.Topic,
		first: g.First.UnixMilli(), last: g.Last.UnixMilli(), refreshed: g.Last.UnixMilli(), readings: g.Readings,
		payload: g.PayloadBase64, payloadBytes: g.PayloadBytes,
	}
	if g.Payload != "" {
		s.payload = []byte(g.Payload)
	}
	for _, r := range g.Registers[:min(len(g.Registers), maxSeenRegisters)] {
		s.registers = append(s.registers, seenRegister{SeenRegister: r})
	}
	return s
}

func readSightings(r io.Reader) ([]Sighting, error) {
	var f seenFile
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("read the meters that were seen: %w", err)
	}
	if f.Version != seenVersion {
		return nil, fmt.Errorf("read the meters that were seen: version %d, this program knows %d", f.Version, seenVersion)
	}
	return f.Meters, nil
}

// ReadSightings returns the unregistered meters that the service on this data
// directory had seen when it last saved them, in the order of zone, utility and
// meter. An error that is fs.ErrNotExist says that it has not saved any yet.
func ReadSightings(dir string) (all []Sighting, err error) {
	f, err := os.Open(filepath.Join(dir, seenName))
	if err != nil {
		return nil, fmt.Errorf("read the meters that were seen: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readSightings(f)
}
