package decode

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Guess is a profile that a message of an unknown kind may be of.
type Guess struct {
	Profile string
	// Topic is a filter for the messages of its kind, as a source would have it.
	Topic string
}

// sign is what the messages of a profile look like.
type sign struct {
	profile string
	filters []string // of its usual topics, + for any level, # for any rest
	words   []string // that its payloads hold, all of them
}

// signs lists the profiles by how sure their signs are. A filter alone is enough
// where the topic belongs to the profile; words alone are, where users choose
// the topics.
var signs = []sign{
	{"imdad", []string{"imdad/v1/#"}, nil},
	{"sparkplug-b", []string{"spBv1.0/#"}, nil},
	{"shelly", []string{"+/events/rpc", "+/+/events/rpc"}, nil},
	{"shelly", nil, []string{`"src"`, `"Notify`, `"params"`}},
	{"tasmota", []string{"tele/+/SENSOR", "stat/+/STATUS8", "stat/+/STATUS10", "tele/+/LWT", "tele/+/STATE"}, nil},
	{"tasmota", nil, []string{`"Time"`, `"ENERGY"`}},
	{"chirpstack", []string{"application/+/device/+/event/+"}, nil},
	{"chirpstack", nil, []string{`"deduplicationId"`, `"deviceInfo"`}},
	{"ttn", []string{"v3/+/devices/+/up"}, nil},
	{"ttn", nil, []string{`"end_device_ids"`, `"uplink_message"`}},
	{"thingsboard", []string{"v1/gateway/telemetry", "v1/devices/me/telemetry"}, nil},
	{"wmbusmeters", nil, []string{`"_":"telegram"`}},
	{"wmbusmeters", nil, []string{`"media"`, `"meter"`, `"id"`, `"timestamp"`}},
	{"zigbee2mqtt", []string{"zigbee2mqtt/#"}, nil},
	{"zigbee2mqtt", nil, []string{`"linkquality"`}},
	{"dsmr", []string{"dsmr/#"}, nil},
	{"dsmr", nil, []string{`"electricity_delivered_1"`}},
	{"victron", []string{"N/+/+/+/#"}, nil},
	{"senml", nil, []string{`"bn"`}},
	{"senml", nil, []string{`"n"`, `"v"`, `[`, `"u"`}},
}

// GuessProfile looks at the topic and the payload of a message that no source
// reads, and returns the profile that most likely does; false if it is like
// none. It is a proposal for people, not a way to decode.
func GuessProfile(topic string, payload []byte) (Guess, bool) {
	for _, s := range signs {
		if at := slices.IndexFunc(s.filters, func(f string) bool { return matches(f, topic) }); at >= 0 {
			return Guess{s.profile, s.filters[at]}, true
		}
	}
	compact := bytes.ReplaceAll(payload, []byte{' '}, nil)
	for _, s := range signs {
		if len(s.words) > 0 && !slices.ContainsFunc(s.words, func(w string) bool { return !bytes.Contains(compact, []byte(w)) }) {
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
		return Guess{valueFormat.name, beside(topic)}, true
	case text[0] >= 0x80 && text[0] <= 0x9f: // an array of CBOR
		return Guess{"senml", beside(topic)}, true
	case utf8.Valid(text) && (text[0] == '{' || text[0] == '['):
		return Guess{mappingProfile, beside(topic)}, true
	}
	return Guess{}, false
}

// beside is a filter for a topic and those that differ in its last level.
func beside(topic string) string {
	i := strings.LastIndexByte(topic, '/')
	if i < 0 {
		return topic
	}
	return topic[:i] + "/+"
}

// Reads tells whether some source has a filter for a topic.
func (d *Decoder) Reads(topic string) bool {
	r := d.route(topic)
	return r.reject == nil || r.reject.Reason != NoSource
}
