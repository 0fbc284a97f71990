package decode

import "strings"

// chirpstack reads the events of ChirpStack v4:
//
//	application/APP/device/DEVEUI/event/up
//	{"deduplicationId":"3ac7e3c4-…","time":"2022-07-18T09:34:15.775023242+00:00","deviceInfo":{"devEui":…,…},
//	 "fCnt":4,"fPort":1,"data":"qg==","object":{…},"rxInfo":[…],"txInfo":{…}}
//
// object is what the codec of the device's profile makes of its bytes; its keys
// are the codec's, and many a codec makes a text of a number. Of event/status the battery and the link margin are kept.
//
// An uplink that several gateways heard is one event, with one deduplicationId
// and one time. When it comes again, it makes the same reading with the same
// number (fCnt), which vetting drops; to drop it here, by its id, could lose it,
// for what was decoded need not have been stored.
//
// https://www.chirpstack.io/docs/chirpstack/integrations/events.html
var chirpstack = format{
	name: "chirpstack", device: true, quotedNumber: true,
	wrappers: [][]string{{"object"}},
	place:    chirpstackPlace,
	classify: chirpstackField,
	prune:    func(path []string) bool { return path[0] != "object" && (path[0] != "deviceInfo" || len(path) > 1) },
}

func chirpstackPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	if n < 3 || levels[n-2] != "event" {
		return place{}
	}
	switch levels[n-1] {
	case "up", "status":
		return place{device: levels[n-3], countsFromZero: levels[n-1] == "up"}
	}
	return place{control: true} // join, ack, txack, log, location, integration
}

func chirpstackField(path []string) field {
	switch {
	case len(path) == 1 && path[0] == "time":
		return field{role: clock, name: "time"}
	case len(path) == 1 && path[0] == "fCnt":
		return field{role: serial, name: "fCnt"}
	case len(path) == 2 && path[0] == "deviceInfo" && path[1] == "devEui":
		return field{role: deviceID, name: "devEui"}
	case len(path) > 1 && path[0] == "object":
		return field{name: derived(path[1:])}
	case len(path) == 1 && path[0] == "batteryLevel":
		return field{role: register, name: "battery_pct", unit: "%"}
	case len(path) == 1 && (path[0] == "margin" || path[0] == "externalPowerSource"):
		return field{name: derived(path)}
	}
	return field{role: skipped} // of the radio and the network, not of the meter
}

// ttn reads uplinks of The Things Stack v3:
//
//	v3/APP@TENANT/devices/DEV/up
//	{"end_device_ids":{"device_id":"dev1",…},"received_at":"2020-02-12T15:15:45.787Z",
//	 "uplink_message":{"f_cnt":1,"frm_payload":"…","decoded_payload":{…},"rx_metadata":[…]}}
//
// decoded_payload is what the device's payload formatter makes of its bytes, and
// normalized_payload, a list of measurements, what it makes of that in the terms of
// the Device Repository; it comes with it, or in a message of its own:
//
//	v3/APP@TENANT/devices/DEV/up/normalized   {…,"uplink_normalized":{"normalized_payload":{"air":{"temperature":21.5}},…}}
//
// What is zero may be left out (it is protobuf underneath): an uplink without f_cnt
// is number 0. One without a decoded_payload cannot be read. The time is received_at,
// that of the server; gateways often have no clock.
//
// https://www.thethingsindustries.com/docs/integrations/data-formats/, …/other-integrations/mqtt/,
// https://github.com/TheThingsNetwork/lorawan-devices lib/payload.json (the units)
var ttn = format{
	name: "ttn", device: true, quotedNumber: true,
	wrappers: [][]string{{"uplink_message", "decoded_payload"}, {"uplink_normalized", "normalized_payload"}},
	place:    ttnPlace,
	classify: ttnField,
	prune:    ttnPrunes,
}

func ttnPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	switch {
	case n >= 3 && levels[n-3] == "devices" && levels[n-1] == "up":
		return place{device: levels[n-2], countsFromZero: true}
	case n >= 4 && levels[n-4] == "devices" && levels[n-2] == "up" && levels[n-1] == "normalized":
		return place{device: levels[n-3], countsFromZero: true}
	case n >= 1 && levels[n-1] == "up":
		return place{countsFromZero: true}
	}
	return place{control: true} // join, down/…, service/data, location/solved
}

func ttnPrunes(path []string) bool {
	switch path[0] {
	case "end_device_ids":
		return len(path) > 1
	case "uplink_message", "uplink_normalized":
		return len(path) > 1 && path[1] != "decoded_payload" && path[1] != "normalized_payload"
	}
	return true
}

// ttnNormalized are the units of the normalized payload, by the last keys, that
// convert into ours; a number stands in the place of the list's index.
var ttnNormalized = map[string]struct{ unit, suffix string }{
	"air.temperature": {"°C", "c"}, "soil.temperature": {"°C", "c"}, "water.temperature": {"°C", "c"},
	"air.pressure": {"hPa", "bar"}, "air.relativeHumidity": {"%", "pct"}, "soil.moisture": {"%", "pct"},
	"soil.depth": {"cm", "mm"}, "battery": {"V", "v"},
}

// ttnMeasured names a value of the normalized payload: normalized_air_temperature_c,
// and from the second measurement on with its number.
func ttnMeasured(path []string) field {
	name := []string{"normalized"}
	if path[0][0] >= '0' && path[0][0] <= '9' {
		if path[0] != "0" {
			name = append(name, oneBased(path[0]))
		}
		path = path[1:]
	}
	name = append(name, path...)
	if u, ok := ttnNormalized[strings.Join(path, ".")]; ok {
		return field{role: register, name: derived(append(name, u.suffix)), unit: u.unit}
	}
	return field{name: derived(name)}
}

func ttnField(path []string) field {
	switch {
	case len(path) == 1 && path[0] == "received_at":
		return field{role: clock, name: "received_at"}
	case len(path) == 2 && path[0] == "end_device_ids" && path[1] == "device_id":
		return field{role: deviceID, name: "device_id"}
	case len(path) == 2 && path[1] == "f_cnt":
		return field{role: serial, name: "f_cnt"}
	case len(path) > 2 && path[1] == "decoded_payload":
		return field{name: derived(path[2:])}
	case len(path) > 2 && path[1] == "normalized_payload" && path[2] != "":
		return ttnMeasured(path[2:])
	}
	return field{role: skipped}
}
