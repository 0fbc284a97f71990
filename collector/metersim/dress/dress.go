// Package dress puts what a meter shows into the messages of a device as one
// can buy it: topics, payloads, units and precision after the public
// documentation of each, which the file of the profile names. It shares nothing
// with the decoder of these payloads; that both agree is what the tests show.
//
//	Meter ─► Assign ─► profile ─► New ─► Dress ─┐
//	                     └─► Sources            ▼
//	           Reading (our registers) ─► Put ─► Sent: messages, and the
//	                                             registers a receiver must see
//
// A device rounds what it shows, so the registers of Sent are not those of the
// reading: they are what the texts of its messages say, in our units.
package dress

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Reading is what a meter shows at one time, in our registers and units.
type Reading struct {
	TS         int64 // ms since the epoch
	Seq        int64
	Historical bool // handed in later, from the device's memory
	Values     map[string]float64
	// Trap is what the device does wrong, or right in a way that is easily
	// misread: one of the profile's Traps, or nothing.
	Trap string
}

// Message is one MQTT message.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
}

// Sent is what became of a reading.
type Sent struct {
	Messages []Message // in their order; none: the device says nothing
	// Copy says that the broker hands the first message out twice.
	Copy bool

	// What a receiver must make of them all together: nothing if Values is empty.
	TS         int64 // as the device wrote it, ms
	Received   bool  // the messages carry no time of their own: TS is when they were made
	Seq        int64
	HasSeq     bool
	Historical bool
	Unreadable bool // it refers to a birth that nobody has heard
	Values     map[string]float64
}

// Dress is one device. It is not safe for concurrent use.
type Dress interface {
	Put(Reading) Sent
}

// Meter is who speaks, and how.
type Meter struct {
	Profile  string
	Zone     string
	Utility  meter.Utility
	ID       string
	Gateway  string
	Kind     Kind
	Number   int // its place in the registry, from 1: what serial numbers are made of
	Zonetime *time.Location
}

// Kind is what a meter stands at, which decides the registers it has.
type Kind uint8

// The kinds of meters.
const (
	Network   Kind = iota // electricity of a substation, feeder or pumping station: every register
	Load                  // electricity of a plant
	Pipe                  // water that flows
	WaterTank             // water that stands
	Burner                // fuel that is burnt
	FuelTank              // fuel that stands
	Generator
)

// profile is one of the formats.
type profile struct {
	name  string
	make  func(Meter) Dress
	kinds map[Kind]int // what it suits, and how often it is chosen there
	lossy []Kind       // where it leaves out registers that alarms are judged by
	keeps bool         // its devices hand in what they could not send
	timed bool         // its messages carry a time
	traps []string
	least time.Duration // of its times
}

// Native is the profile of Imdad itself, which needs no dress.
const Native = "imdad"

// profiles is every dress but Sparkplug's, which needs a node. It is read only.
var profiles = []profile{
	tasmotaProfile, shellyProfile, wmbusmetersProfile, zigbee2mqttProfile, senmlProfile, thingsboardProfile,
	chirpstackProfile, ttnProfile, dsmrProfile, victronProfile, valueProfile, jsonProfile,
}

// Profiles lists all that a fleet can speak, the native one first.
func Profiles() []string {
	names := []string{Native, Sparkplug}
	for _, p := range profiles {
		names = append(names, p.name)
	}
	return names
}

// find returns the profile of a name that is neither native nor Sparkplug.
func find(name string) (profile, bool) {
	i := slices.IndexFunc(profiles, func(p profile) bool { return p.name == name })
	if i < 0 {
		return profile{}, false
	}
	return profiles[i], true
}

// New returns the device of a meter whose profile is neither native nor
// Sparkplug.
func New(m Meter) Dress {
	p, ok := find(m.Profile)
	if !ok {
		panic("dress: no device of the profile " + m.Profile)
	}
	return p.make(m)
}

// Keeps tells whether the devices of a profile hand in what they could not send.
func Keeps(name string) bool {
	p, _ := find(name)
	return p.keeps || name == Native || name == Sparkplug
}

// Traps lists the traps of all devices, each with its profile in front:
// shelly_partial.
func Traps() []string {
	var list []string
	for _, p := range profiles {
		for _, t := range p.traps {
			list = append(list, p.name+"_"+t)
		}
	}
	return list
}

// OfTrap splits a trap into the profile of its devices and what Reading.Trap
// calls it.
func OfTrap(trap string) (profile, own string) {
	profile, own, _ = strings.Cut(trap, "_")
	return profile, own
}

// Suits tells whether a profile has devices for a kind of meters.
func Suits(name string, k Kind) bool {
	p, ok := find(name)
	return name == Native || name == Sparkplug || ok && p.kinds[k] > 0
}

// Resolution is the least difference of a profile's times.
func Resolution(name string) time.Duration {
	p, _ := find(name)
	return max(p.least, time.Millisecond)
}

// field is a register as a device sends it: sent = register · times / over, of
// which one is 1, with so many decimals.
type field struct {
	register, key string
	times, over   float64
	decimals      int
	unit          string // as sent, for the source; empty: ours
}

// as is a field in our own unit.
func as(register, key string, decimals int) field { return field{register, key, 1, 1, decimals, ""} }

// times is a field in a smaller unit, over one in a larger.
func times(register, key string, n float64, decimals int, unit string) field {
	return field{register, key, n, 1, decimals, unit}
}

func over(register, key string, n float64, decimals int, unit string) field {
	return field{register, key, 1, n, decimals, unit}
}

// text is the value as the device writes it, and what it says in our unit.
func (f field) text(x float64) (string, float64) {
	s := number(x*f.times/f.over, f.decimals)
	return s, f.back(parsed(s))
}

// back turns what was sent into our unit.
func (f field) back(sent float64) float64 {
	if f.times != 1 {
		return sent / f.times
	}
	return sent * f.over
}

// number writes x with so many decimals, and no sign at a zero.
func number(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

// parsed reads what number wrote.
func parsed(s string) float64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("dress: own number " + s + ": " + err.Error())
	}
	return x
}

// has returns the fields whose registers the reading has.
func has(fields []field, values map[string]float64) []field {
	list := make([]field, 0, len(fields))
	for _, f := range fields {
		if _, ok := values[f.register]; ok {
			list = append(list, f)
		}
	}
	return list
}

// sent begins what becomes of a reading.
func (r *Reading) sent() Sent {
	return Sent{TS: r.TS, Values: make(map[string]float64, len(r.Values))}
}

// isoUTC writes a time as RFC 3339 in UTC with milliseconds.
func isoUTC(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// wholeSecond cuts a time.
func wholeSecond(ms int64) int64 { return ms - ((ms%1000)+1000)%1000 }

// phases are the names of the three phases in registers.
var phases = [3]string{"l1", "l2", "l3"}

// perPhase returns one register of each phase, such as voltage_l2_v.
func perPhase(values map[string]float64, stem, unit string) (x [3]float64, ok bool) {
	for n, l := range phases {
		if x[n], ok = values[stem+"_"+l+"_"+unit]; !ok {
			return x, false
		}
	}
	return x, true
}

// phasePower shares the power among the phases as their currents and voltages
// do, kW.
func phasePower(values map[string]float64) (kw [3]float64) {
	volts, _ := perPhase(values, "voltage", "v")
	amps, _ := perPhase(values, "current", "a")
	total := 0.0
	for n := range kw {
		kw[n] = volts[n] * amps[n]
		total += kw[n]
	}
	for n := range kw {
		if total > 0 {
			kw[n] *= values["active_power_kw"] / total
		}
	}
	return kw
}
