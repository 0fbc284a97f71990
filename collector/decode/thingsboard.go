package decode

// thingsboard reads telemetry as devices send it to a ThingsBoard server:
//
//	v1/devices/me/telemetry   {"k":v}, {"ts":1451649600512,"values":{"k":v}}, or an array of these (short: v2/t)
//	v1/gateway/telemetry      {"Device A":[{"ts":1483228800000,"values":{"k":v}}],"Device B":[…]}
//
// ts is in milliseconds; without it the time is that of receipt. Numbers may
// come as strings. Keys are whatever the device's maker chose: the source's
// registers say what they are. On a broker other than ThingsBoard's own, "me"
// names nobody: the topic needs a level more that does.
//
// https://thingsboard.io/docs/reference/mqtt-api/telemetry/, https://thingsboard.io/docs/reference/gateway-api/telemetry/
var thingsboard = format{
	name: "thingsboard", device: true, quotedNumber: true,
	wrappers: [][]string{{"values"}},
	place:    thingsboardPlace,
	classify: thingsboardField,
}

func thingsboardPlace(levels []string, _ map[string]string) place {
	last, before := levels[len(levels)-1], ""
	if len(levels) > 1 {
		before = levels[len(levels)-2]
	}
	switch last {
	case "attributes", "connect", "disconnect", "rpc", "claim", "request", "response":
		return place{control: true}
	case "telemetry":
		if before == "gateway" {
			return place{items: 1, deviceAt: true}
		}
	}
	return place{}
}

func thingsboardField(path []string) field {
	switch {
	case len(path) == 0:
		return field{role: skipped} // a number in the place of a reading
	case len(path) == 1 && path[0] == "ts":
		return field{role: clock, name: "ts", moment: moment{perSecond: 1000}}
	case len(path) > 1 && path[0] == "values":
		return field{name: derived(path[1:])}
	}
	return field{}
}
