package decode

import (
	"bytes"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// deviceKey is what the topics of one device have in common.
type deviceKey struct{ zone, device string }

// know remembers that a meter is of a device, for the day when the device is
// said to be gone.
func (r *reader) know(to *route, s *meter.Series) {
	if !r.format.presence || to.place.device == "" {
		return
	}
	if len(r.devices) >= maxSeries {
		clear(r.devices)
	}
	key := deviceKey{s.Zone, to.place.device}
	if known := r.devices[key]; !slices.Contains(known, s) {
		r.devices[key] = append(known, s)
	}
}

// tellPresence reads what a device, or its broker in its place, says of its
// being there: online, offline, true, false, or the first two as the state in an
// object. Whatever else there is says nothing.
func (r *reader) tellPresence(to *route, m *Message, out *Readings) {
	if len(m.Payload) > MaxPayload || !isOffline(m.Payload) {
		return
	}
	out.stale = append(out.stale, r.known(to)...)
}

// known returns the meters of a topic's device that have spoken.
func (r *reader) known(to *route) []*meter.Series {
	zone := foreignID(r.source.zone.fill(func(capture string) string { return to.captured[capture] }))
	return r.devices[deviceKey{zone, to.place.device}]
}

func isOffline(payload []byte) bool {
	payload = bytes.TrimSpace(payload)
	if isObject(payload) {
		payload = stateOf(payload)
	}
	switch strings.ToLower(string(payload)) {
	case "offline", "false":
		return true
	}
	return false
}

// stateOf returns the text under the key state; nil if there is none.
func stateOf(object []byte) []byte {
	s := scanner{data: object}
	if !s.open('{') {
		return nil
	}
	for first := true; ; first = false {
		key, end, reject := s.key(first)
		if reject != nil || end {
			return nil
		}
		if string(key) == "state" && s.peek() == '"' {
			text, _ := s.str() // cut short, it is nil
			return text
		}
		if s.skip(0) != nil {
			return nil
		}
	}
}
