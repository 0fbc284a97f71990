package dress

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Source is an entry of sources: in the configuration of the service: what it
// must be told to read a part of the fleet.
type Source struct {
	Name      string            `yaml:"name"`
	Topics    []string          `yaml:"topics,flow"`
	Profile   string            `yaml:"profile"`
	Zone      string            `yaml:"zone,omitempty"`
	Meter     string            `yaml:"meter,omitempty"`
	Utility   meter.Utility     `yaml:"utility,omitempty"`
	Timezone  string            `yaml:"timezone,omitempty"`
	Host      string            `yaml:"host,omitempty"`
	Names     map[string]string `yaml:"names,omitempty"`
	Registers []Register        `yaml:"registers,omitempty"`
	JSON      *Mapping          `yaml:"json,omitempty,flow"`
}

// Register says what a value is.
type Register struct {
	Path     string        `yaml:"path"`
	Register string        `yaml:"register"`
	Unit     string        `yaml:"unit,omitempty"`
	Scale    float64       `yaml:"scale,omitempty"`
	Utility  meter.Utility `yaml:"utility,omitempty"`
}

// Mapping says where things are in a payload of the profile json.
type Mapping struct {
	Device string `yaml:"device"`
	Time   string `yaml:"time"`
	Layout string `yaml:"layout"`
	Seq    string `yaml:"seq"`
}

// SourcesYAML writes the section sources: that reads the fleet.
func SourcesYAML(meters []Meter) ([]byte, error) {
	text, err := yaml.Marshal(struct {
		Sources []Source `yaml:"sources"`
	}{Sources(meters)})
	if err != nil {
		return nil, fmt.Errorf("write sources: %w", err)
	}
	return text, nil
}

// Sources lists what the service must be told to read the fleet: the native
// source, and of every profile that is spoken one or, where neither topic nor
// payload names the zone, one for each zone.
func Sources(meters []Meter) []Source {
	list := []Source{{Name: "native", Topics: []string{"imdad/v1/#"}, Profile: Native}}
	for _, name := range Profiles()[1:] {
		var speak []Meter
		for _, m := range meters {
			if m.Profile == name {
				speak = append(speak, m)
			}
		}
		if len(speak) > 0 {
			list = append(list, sourcesOf[name](speak)...)
		}
	}
	return list
}

// sourcesOf are the sources of the meters of one profile.
var sourcesOf = map[string]func([]Meter) []Source{
	Sparkplug: func([]Meter) []Source {
		var rules []Register
		for _, u := range meter.Utilities {
			for _, m := range sparkplugMetrics[u] {
				rules = append(rules, Register{Path: m.key, Register: m.register, Unit: m.unit, Utility: u})
			}
		}
		return []Source{{Name: "sparkplug", Topics: []string{"spBv1.0/#"}, Profile: Sparkplug, Host: "imdad", Registers: rules}}
	},
	"tasmota": func(meters []Meter) []Source {
		return local(meters, func(zone string) Source {
			return Source{Topics: []string{"tele/" + zone + "/{meter}/SENSOR", "stat/" + zone + "/{meter}/STATUS10"}, Profile: "tasmota"}
		})
	},
	"shelly": func([]Meter) []Source {
		return []Source{{Name: "shelly", Topics: []string{"shelly/{zone}/{meter}/events/rpc"}, Profile: "shelly"}}
	},
	"wmbusmeters": func(meters []Meter) []Source {
		return []Source{{Name: "wmbusmeters", Topics: []string{"wmbusmeters/{zone}/+"}, Profile: "wmbusmeters", Names: names(meters, Meter.serial)}}
	},
	"zigbee2mqtt": func(meters []Meter) []Source {
		return []Source{{
			Name: "zigbee2mqtt", Topics: []string{"zigbee2mqtt/{zone}/{meter#}"}, Profile: "zigbee2mqtt", Utility: meter.Water,
			Names: names(meters, Meter.friendly), Registers: rules("", zigbeeFields),
		}}
	},
	"senml": func([]Meter) []Source {
		return []Source{{Name: "senml", Topics: []string{"senml/{zone}/{utility}/{meter}"}, Profile: "senml"}}
	},
	"thingsboard": func([]Meter) []Source {
		return []Source{
			{
				Name: "thingsboard", Topics: []string{"thingsboard/{zone}/{utility}/{meter}/v1/devices/me/telemetry"}, Profile: "thingsboard",
				Registers: rules("", thingsboardFields),
			},
			{
				Name: "thingsboard-gateways", Topics: []string{"thingsboard/{zone}/{utility}/v1/gateway/telemetry"}, Profile: "thingsboard",
				Registers: rules("", thingsboardFields),
			},
		}
	},
	"chirpstack": func(meters []Meter) []Source {
		return perZone(meters, func(zone string, of []Meter) Source {
			return Source{
				Name: "chirpstack-" + zone, Topics: []string{"application/" + application(zone) + "/device/+/event/+"}, Profile: "chirpstack",
				Zone: zone, Utility: meter.Water, Names: names(of, Meter.devEUI), Registers: rules("", chirpstackFields),
			}
		})
	},
	"ttn": func(meters []Meter) []Source {
		var list []Source
		for _, u := range meter.Utilities {
			list = append(list, perZone(slices.DeleteFunc(slices.Clone(meters), func(m Meter) bool { return m.Utility != u }), func(zone string, of []Meter) Source {
				return Source{
					Name: "ttn-" + zone + "-" + string(u), Topics: []string{"v3/imdad-" + zone + "-" + string(u) + "@ministry/devices/{meter}/up"}, Profile: "ttn",
					Zone: zone, Utility: u, Names: names(of, Meter.deviceID), Registers: rules("", ttnFields),
				}
			})...)
		}
		return list
	},
	"dsmr": func([]Meter) []Source {
		return []Source{
			{Name: "dsmr", Topics: []string{"dsmr/{zone}/{meter}/json", "dsmr/{zone}/{meter}/reading/+"}, Profile: "dsmr"},
		}
	},
	"victron": func(meters []Meter) []Source {
		return perZone(meters, func(zone string, of []Meter) Source {
			return Source{
				Name: "victron-" + zone, Topics: []string{"N/" + Portal(zone) + "/#"}, Profile: "victron", Zone: zone,
				Names: names(of, func(m Meter) string { return fmt.Sprintf("%s:%s:%d", Portal(m.Zone), m.service(), m.Number) }),
				Registers: []Register{
					{Path: "genset.StatusCode.value", Register: "running", Scale: 0.125, Utility: meter.Generator},
					{Path: "genset.Engine.FuelRate.value", Register: "fuel_rate_lph", Unit: "l/h", Utility: meter.Generator},
				},
			}
		})
	},
	"value": func([]Meter) []Source {
		return []Source{{Name: "plc", Topics: []string{"plc/{zone}/{utility}/{meter}/{register}"}, Profile: "value", Registers: rules("", valueFields)}}
	},
	"json": func(meters []Meter) []Source {
		var registers []Register
		for _, part := range vendorFields {
			registers = append(registers, rules("data."+part.part+".", part.fields)...)
		}
		registers = append(registers,
			Register{Path: "data.el.u.*", Register: "voltage_l{n}_v"},
			Register{Path: "data.el.i.*", Register: "current_l{n}_a", Unit: "mA"})
		return local(meters, func(zone string) Source {
			return Source{
				Topics: []string{"vendor/" + zone + "/{utility}/telegram"}, Profile: "json", Meter: "{device}",
				Registers: registers, JSON: &Mapping{Device: "head.unit", Time: "head.at", Layout: clockLayout, Seq: "head.msg"},
			}
		})
	},
}

// rules are the fields as a source has to say them.
func rules(prefix string, fields []field) []Register {
	list := make([]Register, len(fields))
	for i, f := range fields {
		list[i] = Register{Path: prefix + f.key, Register: f.register, Unit: f.unit}
	}
	return list
}

// names gives the meters their ids, by what their devices are called.
func names(meters []Meter, called func(Meter) string) map[string]string {
	list := make(map[string]string)
	for _, m := range meters {
		if name := called(m); name != m.ID {
			list[name] = m.ID
		}
	}
	return list
}

// perZone makes a source for each zone, in the order of their first meters.
func perZone(meters []Meter, source func(zone string, of []Meter) Source) []Source {
	var order []string
	members := make(map[string][]Meter)
	for _, m := range meters {
		if members[m.Zone] == nil {
			order = append(order, m.Zone)
		}
		members[m.Zone] = append(members[m.Zone], m)
	}
	list := make([]Source, len(order))
	for i, zone := range order {
		list[i] = source(zone, members[zone])
	}
	return list
}

// local makes the sources of devices that write local time: one, which
// captures the zone, or one for each zone where their clocks differ.
func local(meters []Meter, source func(zone string) Source) []Source {
	complete := func(zone, name string, of []Meter) Source {
		s := source(zone)
		s.Name, s.Timezone = name, of[0].Zonetime.String()
		return s
	}
	if !slices.ContainsFunc(meters, func(m Meter) bool { return m.Zonetime.String() != meters[0].Zonetime.String() }) {
		return []Source{complete("{zone}", meters[0].Profile, meters)}
	}
	return perZone(meters, func(zone string, of []Meter) Source {
		s := complete(zone, of[0].Profile+"-"+zone, of)
		s.Zone = zone
		return s
	})
}
