package decode

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Guess is a profile that a message of an unknown kind may be of, with the topic
// that stands for those of its kind.
type Guess struct{ Profile, Topic string }

// sign is what the messages of a profile look like: a topic that belongs to it,
// words that its payloads hold, all of them, or both.
type sign struct {
	profile string
	filters []string // one of them; none: any topic
	words   []string
	// topics are those of a source for all that such a device says; none: the
	// message's own and those beside it.
	topics []string
}

// signs lists the profiles by how sure their signs are.
var signs = []sign{
	{"imdad", []string{"imdad/v1/#"}, nil, []string{"imdad/v1/#"}},
	{sparkplugB, []string{"spBv1.0/#"}, nil, []string{"spBv1.0/#"}},
	{"shelly", []string{"+/events/rpc"}, nil, shellyTopics(0)},
	{"shelly", []string{"+/+/events/rpc"}, nil, shellyTopics(1)},
	{"shelly", []string{"+/status/+"}, []string{`"id":`, `_act_power"`}, shellyTopics(0)},
	{"shelly", []string{"+/status/+"}, []string{`"id":`, `"aenergy"`}, shellyTopics(0)},
	{"shelly", []string{"+/status/+"}, []string{`"id":`, `_act_energy"`}, shellyTopics(0)},
	{"tasmota", []string{"tele/+/SENSOR", "stat/+/STATUS8", "stat/+/STATUS10", "tele/+/LWT", "tele/+/STATE"}, nil,
		[]string{"tele/{meter}/SENSOR", "tele/{meter}/STATE", "tele/{meter}/LWT", "stat/{meter}/STATUS8", "stat/{meter}/STATUS10"}},
	{"tasmota", []string{"+/tele/SENSOR", "+/stat/STATUS8", "+/stat/STATUS10", "+/tele/LWT", "+/tele/STATE"}, nil,
		[]string{"{meter}/tele/SENSOR", "{meter}/tele/STATE", "{meter}/tele/LWT", "{meter}/stat/STATUS8", "{meter}/stat/STATUS10"}},
	{"chirpstack", []string{"application/+/device/+/event/+"}, nil, []string{"application/+/device/{meter}/event/+"}},
	{"chirpstack", nil, []string{`"deduplicationId"`, `"deviceInfo"`}, nil},
	{"ttn", []string{"v3/+/devices/+/up"}, nil, []string{"v3/+/devices/{meter}/up"}},
	{"thingsboard", []string{"v1/gateway/telemetry"}, nil, []string{"v1/gateway/telemetry"}},
	{"thingsboard", []string{"v1/devices/me/telemetry"}, nil, []string{"v1/devices/me/telemetry"}},
	{"thingsboard", []string{"+/v1/devices/me/telemetry"}, nil, []string{"{meter}/v1/devices/me/telemetry"}},
	{"wmbusmeters", nil, []string{`"_":"telegram"`}, nil},
	{"wmbusmeters", nil, []string{`"media"`, `"meter"`, `"id"`, `"timestamp"`}, nil},
	{"zigbee2mqtt", []string{"zigbee2mqtt/#"}, nil, []string{"zigbee2mqtt/{meter#}"}},
	{"zigbee2mqtt", nil, []string{`"linkquality"`}, nil},
	{"dsmr", []string{"dsmr/#"}, nil, []string{"dsmr/#"}},
	{"dsmr", nil, []string{`"electricity_delivered_1"`}, nil},
	{"victron", []string{"N/+/+/+/#"}, nil, []string{"N/+/#"}},
	{"senml", nil, []string{`[`, `"bn"`}, nil},
	{"senml", nil, []string{`[`, `"n"`, `"v"`, `"u"`}, nil},
}

// shellyTopics are those of a device behind so many levels.
func shellyTopics(levels int) []string {
	before := strings.Repeat("+/", levels)
	return []string{before + "{meter}/events/rpc", before + "{meter}/status/+", before + "{meter}/online"}
}

func (s *sign) fits(topic string, compact []byte) bool {
	return (len(s.filters) == 0 || slices.ContainsFunc(s.filters, func(f string) bool { return matches(f, topic) })) &&
		!slices.ContainsFunc(s.words, func(w string) bool { return !bytes.Contains(compact, []byte(w)) })
}

// GuessProfile looks at the topic and the payload of a message that no source
// reads, and returns the profile that most likely does; false if it is like
// none. It is a proposal for people, not a way to decode.
func GuessProfile(topic string, payload []byte) (Guess, bool) {
	compact := bytes.ReplaceAll(payload, []byte{' '}, nil)
	for i := range signs {
		s := &signs[i]
		switch {
		case !s.fits(topic, compact):
		case len(s.topics) > 0:
			return Guess{s.profile, s.topics[0]}, true
		default:
			return Guess{s.profile, beside(topic)}, true
		}
	}
	text := bytes.TrimSpace(payload)
	s := scanner{data: text}
	_, number := s.numberText()
	switch {
	case len(text) == 0:
		return Guess{}, false
	case number && s.pos == len(text):
		return Guess{valueFormat.name, valueTopic(topic)}, true
	case text[0] >= 0x80 && text[0] <= 0x9f: // an array of CBOR
		return Guess{senml.name, beside(topic)}, true
	case utf8.Valid(text) && (text[0] == '{' || text[0] == '['):
		return Guess{mappingProfile, beside(topic)}, true
	}
	return Guess{}, false
}

// general are last levels of topics that name no device: the one before does.
var general = []string{"sensor", "state", "status", "data", "telemetry", "json", "up", "values", "reading", "readings", "measurement", "payload", "rx"}

// beside is a topic and those that differ in the level of the device.
func beside(topic string) string {
	levels := strings.Split(topic, "/")
	at := len(levels) - 1
	if at > 0 && slices.Contains(general, strings.ToLower(levels[at])) {
		at--
	}
	if len(levels) > 1 {
		levels[at] = "{meter}"
	}
	return strings.Join(levels, "/")
}

// valueTopic is that of values below meters.
func valueTopic(topic string) string {
	levels := strings.Split(topic, "/")
	n := len(levels)
	if n > 1 {
		levels[n-1] = "{register}"
	}
	if n > 2 {
		levels[n-2] = "{meter}"
	}
	return strings.Join(levels, "/")
}

// Placeholders in a proposed source, for a person to replace.
const (
	PlaceholderZone  = "ZONE"
	PlaceholderMeter = "METER"
)

// Propose returns the source that reads messages like this one best, as far as
// the one tells. It is a valid one, with placeholders for what only people know;
// it has no name if there is none, such as for a topic with braces in it.
func (g Guess) Propose(name string, m Message) Source {
	var best Source
	found := 0
	for _, s := range g.candidates() {
		s.Name = name
		if len(s.Validate()) > 0 {
			continue
		}
		var out Readings
		_, err := New([]Source{s}, meter.NewCatalog(maxProposed)).Decode(m, &out)
		worth := 1
		switch {
		case err == nil && len(out.All()) > 0:
			worth = 3
			if s.Utility != "" {
				s.Utility = likelyUtility(out.All())
			}
		case err == nil:
			worth = 2
		}
		if worth > found {
			best, found = s, worth
		}
	}
	return best
}

// maxProposed bounds the meters of one message.
const maxProposed = 1 << 12

// candidates are sources for a guess, the one that asks least of people first.
func (g Guess) candidates() []Source {
	s := Source{Profile: g.Profile, Topics: []string{g.Topic}, Zone: PlaceholderZone}
	known := false // the topics of the profile
	for i := range signs {
		if signs[i].profile == g.Profile && len(signs[i].topics) > 0 && signs[i].topics[0] == g.Topic {
			s.Topics, known = signs[i].topics, true
		}
	}
	switch g.Profile {
	case "imdad", sparkplugB: // their topics name the zone
		s.Zone = ""
	case mappingProfile:
		s.JSON = &Mapping{}
	case valueFormat.name:
		if !strings.Contains(g.Topic, "{register}") {
			s.Registers = []Register{{Register: "value"}}
		}
	}
	for i := range formats {
		if f := &formats[i]; f.name == g.Profile && f.utility == "" && !f.tellsUtility {
			s.Utility = meter.Electricity
		}
	}
	byDevice, byPerson := s, s
	byDevice.Meter = "{device}"
	byPerson.Meter = PlaceholderMeter
	if strings.Contains(g.Topic, "{meter}") && !known {
		plain := byDevice
		plain.Topics, plain.Meter = []string{strings.Replace(g.Topic, "{meter}", "+", 1)}, ""
		return []Source{plain, s, byPerson}
	}
	return []Source{s, byDevice, byPerson}
}

// likelyUtility guesses by the units of what was read what a meter measures.
func likelyUtility(readings []meter.Reading) meter.Utility {
	for i := range readings {
		for _, v := range readings[i].Values {
			switch v.Register[strings.LastIndexByte(v.Register, '_')+1:] {
			case "m3", "m3h", "bar":
				return meter.Water
			case "l", "lph", "mm":
				return meter.Fuel
			}
		}
	}
	return meter.Electricity
}

// Reads tells whether some source has a filter for a topic.
func (d *Decoder) Reads(topic string) bool {
	r := d.route(topic)
	return r.reject == nil || r.reject.Reason != NoSource
}
