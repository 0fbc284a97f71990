package decode

// chirpstack reads the events of ChirpStack v4:
//
//	application/APP/device/DEVEUI/event/up
//	{"deduplicationId":"3ac7e3c4-…","time":"2022-07-18T09:34:15.775023242+00:00","deviceInfo":{"devEui":…,…},
//	 "fCnt":4,"fPort":1,"data":"qg==","object":{…},"rxInfo":[…],"txInfo":{…}}
//
// object is what the codec of the device's profile makes of its bytes; its keys
// are the codec's. Of event/status the battery and the link margin are kept.
//
// An uplink that several gateways heard is one event, with one deduplicationId
// and one time. When it comes again, it makes the same reading with the same
// number (fCnt), which vetting drops; to drop it here, by its id, could lose it,
// for what was decoded need not have been stored.
//
// https://www.chirpstack.io/docs/chirpstack/integrations/events.html
var chirpstack = format{
	name: "chirpstack", device: true,
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
		return field{role: register, name: "battery_pct"}
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
// decoded_payload is what the device's payload formatter makes of its bytes.
// What is zero may be left out (it is protobuf underneath): an uplink without
// f_cnt is number 0. One without a decoded_payload cannot be read.
//
// https://www.thethingsindustries.com/docs/integrations/data-formats/, …/other-integrations/mqtt/
var ttn = format{
	name: "ttn", device: true,
	wrappers: [][]string{{"uplink_message", "decoded_payload"}},
	place:    ttnPlace,
	classify: ttnField,
	prune:    ttnPrunes,
}

func ttnPlace(levels []string, _ map[string]string) place {
	n := len(levels)
	switch {
	case n >= 3 && levels[n-3] == "devices" && levels[n-1] == "up":
		return place{device: levels[n-2], countsFromZero: true}
	case n >= 1 && levels[n-1] == "up":
		return place{countsFromZero: true}
	}
	return place{control: true} // join, down/…, service/data, location/solved
}

func ttnPrunes(path []string) bool {
	switch path[0] {
	case "end_device_ids":
		return len(path) > 1
	case "uplink_message":
		return len(path) > 1 && path[1] != "decoded_payload"
	}
	return true
}

func ttnField(path []string) field {
	switch {
	case len(path) == 1 && path[0] == "received_at":
		return field{role: clock, name: "received_at"}
	case len(path) == 2 && path[0] == "end_device_ids" && path[1] == "device_id":
		return field{role: deviceID, name: "device_id"}
	case len(path) == 2 && path[0] == "uplink_message" && path[1] == "f_cnt":
		return field{role: serial, name: "f_cnt"}
	case len(path) > 2 && path[0] == "uplink_message" && path[1] == "decoded_payload":
		return field{name: derived(path[2:])}
	}
	return field{role: skipped}
}
