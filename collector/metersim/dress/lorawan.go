package dress

import (
	"strings"
	"time"
)

// chirpstackProfile is a LoRaWAN water meter or level gauge behind ChirpStack
// v4, one application a zone. The keys of object are the codec's; the source
// says what they are. fCnt is the message number.
//
// https://www.chirpstack.io/docs/chirpstack/integrations/events.html
var chirpstackProfile = profile{
	name: "chirpstack", kinds: map[Kind]int{Pipe: 2, WaterTank: 3}, timed: true,
	make:  func(m Meter) Dress { return chirpstack{m} },
	traps: []string{"redelivered"},
}

type chirpstack struct{ Meter }

// devEUI is the device's address in the network.
func (m Meter) devEUI() string {
	return "a84041" + hexOf("eui", m.Zone+"/"+string(m.Utility)+"/"+m.ID, 10)
}

// application is the id of a zone's application.
func application(zone string) string {
	h := hexOf("application", zone, 15) + hexOf("tenant", zone, 15) + "89"
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-a" + h[15:18] + "-" + h[18:30]
}

var chirpstackFields = []field{
	times("volume_m3", "totalLitres", 1000, 0, "l"), times("flow_m3h", "flowLph", 1000, 0, "l/h"), as("pressure_bar", "pressureBar", 3),
	times("tank_level_m", "levelCm", 100, 1, "cm"), as("tank_volume_m3", "volumeM3", 3), as("temperature_c", "waterTemp", 1),
}

func (d chirpstack) Put(r Reading) Sent {
	s := r.sent()
	s.Seq, s.HasSeq = r.Seq, true
	eui := d.devEUI()
	var o object
	o.open("", '{')
	id := hexOf(eui, isoUTC(r.TS), 15) + hexOf(isoUTC(r.TS), eui, 15)
	o.str("deduplicationId", id[:8]+"-"+id[8:12]+"-4"+id[12:15]+"-8"+id[15:18]+"-"+id[18:30])
	o.str("time", time.UnixMilli(r.TS).UTC().Format("2006-01-02T15:04:05.000")+"023242+00:00")
	o.open("deviceInfo", '{')
	o.str("applicationId", application(d.Zone))
	o.str("applicationName", d.Zone)
	o.str("deviceProfileName", "level and flow")
	o.str("deviceName", d.ID)
	o.str("devEui", eui)
	o.close('}')
	o.str("devAddr", "00189440")
	o.raw("adr", "true")
	o.int("dr", 5)
	o.int("fCnt", r.Seq)
	o.int("fPort", 2)
	o.raw("confirmed", "false")
	o.str("data", "qg==")
	o.open("object", '{')
	o.put(chirpstackFields, r.Values, s.Values)
	o.close('}')
	o.raw("rxInfo", `[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5}]`)
	o.raw("txInfo", `{"frequency":868100000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":7}}}`)
	o.close('}')
	s.Messages = []Message{{Topic: "application/" + application(d.Zone) + "/device/" + eui + "/event/up", Payload: o.buf}}
	s.Copy = r.Trap == "redelivered"
	return s
}

// ttnProfile is a LoRaWAN gauge behind The Things Stack v3, one application
// for each zone and utility. f_cnt is the message number; what is zero may be left out, with the
// trap zeros it is.
//
// https://www.thethingsindustries.com/docs/integrations/data-formats/
var ttnProfile = profile{
	name: "ttn", kinds: map[Kind]int{WaterTank: 2, FuelTank: 2, Generator: 2}, timed: true,
	make:  func(m Meter) Dress { return ttn{m} },
	traps: []string{"zeros"},
}

type ttn struct{ Meter }

// deviceID is the device's name in The Things Stack: small letters, digits and
// dashes, at most 36.
func (m Meter) deviceID() string {
	id := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			return c
		}
		return -1
	}, m.ID)
	if id == m.ID && len(id) > 1 && len(id) <= 36 && id[0] != '-' && id[len(id)-1] != '-' {
		return id
	}
	return "eui-" + hexOf("ttn", m.Zone+"/"+string(m.Utility)+"/"+m.ID, 15)
}

var ttnFields = []field{
	times("tank_level_m", "levelCm", 100, 1, "cm"), as("tank_volume_m3", "volumeM3", 3), as("temperature_c", "temperature", 2),
	as("volume_l", "litres", 1), as("volume15_l", "litres15", 1), as("level_mm", "levelMm", 1), as("water_level_mm", "waterMm", 0),
	as("delivered_l", "delivered", 1),
	as("running", "running", 0), as("active_power_kw", "powerKw", 3), as("energy_export_kwh", "energyKwh", 3),
	as("run_hours_h", "runHours", 2), as("fuel_rate_lph", "fuelRate", 3), as("battery_v", "starterV", 2),
}

func (d ttn) Put(r Reading) Sent {
	s := r.sent()
	s.Seq, s.HasSeq = r.Seq, true
	values := r.Values
	if r.Trap == "zeros" {
		values = make(map[string]float64)
		for _, f := range has(ttnFields, r.Values) {
			if _, seen := f.text(r.Values[f.register]); seen != 0 {
				values[f.register] = r.Values[f.register]
			}
		}
	}
	app := "imdad-" + d.Zone + "-" + string(d.Utility)
	var o object
	o.open("", '{')
	o.open("end_device_ids", '{')
	o.str("device_id", d.deviceID())
	o.raw("application_ids", `{"application_id":"`+app+`"}`)
	o.str("dev_eui", strings.ToUpper(d.devEUI()))
	o.close('}')
	o.str("received_at", time.UnixMilli(r.TS).UTC().Format("2006-01-02T15:04:05.000")+"188927Z")
	o.open("uplink_message", '{')
	o.int("f_port", 2)
	if r.Seq != 0 {
		o.int("f_cnt", r.Seq)
	}
	o.str("frm_payload", "AQ==")
	o.open("decoded_payload", '{')
	o.put(ttnFields, values, s.Values)
	o.close('}')
	o.raw("rx_metadata", `[{"gateway_ids":{"gateway_id":"roof"},"rssi":-35,"snr":5.2}]`)
	o.close('}')
	o.close('}')
	s.Messages = []Message{{Topic: "v3/" + app + "@ministry/devices/" + d.deviceID() + "/up", Payload: o.buf}}
	return s
}
