package dress

import (
	"encoding/hex"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

var update = flag.Bool("update", false, "write the golden messages anew")

const ts = 1795421640123 // 2026-11-23T08:14:00.123Z

var damascus = time.FixedZone("Asia/Damascus", 3*3600)

// What meters of each kind show.
var (
	electric = map[string]float64{
		"active_power_kw": 431.2004, "reactive_power_kvar": 190.06, "energy_import_kwh": 1283445.7019,
		"voltage_l1_v": 229.468, "voltage_l2_v": 230.051, "voltage_l3_v": 230.449, "current_l1_a": 684.0625, "current_l2_a": 680.1, "current_l3_a": 683.3334,
		"frequency_hz": 49.9876, "power_factor": 0.9151, "demand_kw": 428.5,
	}
	pipe  = map[string]float64{"volume_m3": 6408.5236, "flow_m3h": 12.3457, "pressure_bar": 3.2064, "temperature_c": 17.04}
	basin = map[string]float64{"tank_level_m": 3.1234, "tank_volume_m3": 234.2551, "temperature_c": 17.04}
	depot = map[string]float64{
		"volume_l": 17432.12, "volume15_l": 17044.96, "level_mm": 1840.36, "temperature_c": 41.257, "water_level_mm": 4, "delivered_l": 250000.3,
	}
	boiler  = map[string]float64{"flow_lph": 125.4321, "consumed_l": 1234567.891, "temperature_c": 17.04}
	idleSet = map[string]float64{"running": 0, "active_power_kw": 0, "energy_export_kwh": 36012.5, "run_hours_h": 200.07, "fuel_rate_lph": 0, "battery_v": 27.21}
)

func speaker(profile string, u meter.Utility, k Kind, number int) Meter {
	return Meter{Profile: profile, Zone: "z1", Utility: u, ID: "hall-7", Gateway: "gw-1", Kind: k, Number: number, Zonetime: damascus}
}

// TestPayloads holds what every device publishes, with each of its traps,
// against golden messages. They were read beside the documentation that the
// file of the profile cites, member by member.
func TestPayloads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		meter  Meter
		values map[string]float64
		trap   string
	}{
		{"tasmota", speaker("tasmota", meter.Electricity, Load, 1), electric, ""},
		{"tasmota status10", speaker("tasmota", meter.Electricity, Load, 1), electric, "status10"},
		{"shelly", speaker("shelly", meter.Electricity, Load, 1), electric, ""},
		{"shelly null_current", speaker("shelly", meter.Electricity, Load, 1), electric, "null_current"},
		{"wmbusmeters", speaker("wmbusmeters", meter.Water, Pipe, 1), pipe, ""},
		{"zigbee2mqtt", speaker("zigbee2mqtt", meter.Water, Pipe, 1), pipe, ""},
		{"zigbee2mqtt bridge", speaker("zigbee2mqtt", meter.Water, Pipe, 1), pipe, "bridge"},
		{"senml json", speaker("senml", meter.Water, Pipe, 1), pipe, ""},
		{"senml json relative", speaker("senml", meter.Water, Pipe, 1), pipe, "relative"},
		{"senml json carry", speaker("senml", meter.Electricity, Load, 1), electric, "carry"},
		{"senml cbor", speaker("senml", meter.Water, WaterTank, 2), basin, ""},
		{"senml cbor carry", speaker("senml", meter.Water, Pipe, 2), pipe, "carry"},
		{"thingsboard device", speaker("thingsboard", meter.Fuel, FuelTank, 2), depot, ""},
		{"thingsboard gateway", speaker("thingsboard", meter.Generator, Generator, 1), idleSet, ""},
		{"thingsboard strings", speaker("thingsboard", meter.Fuel, Burner, 2), boiler, "strings"},
		{"chirpstack", speaker("chirpstack", meter.Water, Pipe, 1), pipe, ""},
		{"chirpstack redelivered", speaker("chirpstack", meter.Water, WaterTank, 1), basin, "redelivered"},
		{"ttn", speaker("ttn", meter.Generator, Generator, 1), idleSet, ""},
		{"ttn zeros", speaker("ttn", meter.Generator, Generator, 1), idleSet, "zeros"},
		{"dsmr json", speaker("dsmr", meter.Electricity, Load, 1), electric, ""},
		{"dsmr fields", speaker("dsmr", meter.Electricity, Load, 3), electric, ""},
		{"victron grid", speaker("victron", meter.Electricity, Load, 1), electric, ""},
		{"victron genset null", speaker("victron", meter.Generator, Generator, 1), idleSet, "null"},
		{"victron tank", speaker("victron", meter.Fuel, FuelTank, 1), depot, ""},
		{"value", speaker("value", meter.Generator, Generator, 1), idleSet, ""},
		{"value thousands", speaker("value", meter.Fuel, Burner, 1), boiler, "thousands"},
		{"json", speaker("json", meter.Electricity, Load, 1), electric, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reading := Reading{TS: ts, Seq: 4711, Values: tt.values, Trap: tt.trap}
			sent := New(tt.meter).Put(reading)
			golden(t, tt.name, sent)
			if again := New(tt.meter).Put(reading); written(again) != written(sent) {
				t.Error("the same reading is not sent the same way again")
			}
		})
	}
}

// written is what was sent, for people: messages, and what they say.
func written(s Sent) string {
	var b strings.Builder
	for _, m := range s.Messages {
		b.WriteString(m.Topic)
		if m.Retained {
			b.WriteString(" (retained)")
		}
		text := string(m.Payload)
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
			text = hex.Dump(m.Payload)
		}
		b.WriteString("\n" + text + "\n")
	}
	b.WriteString("\nts " + strconv.FormatInt(s.TS, 10))
	if s.Received {
		b.WriteString(" received")
	}
	if s.HasSeq {
		b.WriteString(" seq " + strconv.FormatInt(s.Seq, 10))
	}
	if s.Copy {
		b.WriteString(" twice")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		b.WriteString("\n" + name + " " + strconv.FormatFloat(s.Values[name], 'g', -1, 64))
	}
	return b.String() + "\n"
}

func golden(t *testing.T, name string, s Sent) {
	t.Helper()
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(written(s)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := written(s); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestShellyTellsWhatHasChanged: with the trap partial a notice has what its
// predecessor had not, and none at all if that is nothing.
func TestShellyTellsWhatHasChanged(t *testing.T) {
	t.Parallel()
	d := New(speaker("shelly", meter.Electricity, Load, 1))
	d.Put(Reading{TS: ts, Values: electric})
	if s := d.Put(Reading{TS: ts + 1000, Values: electric, Trap: "partial"}); len(s.Messages) != 0 {
		t.Errorf("nothing changed, and it says %s", s.Messages[0].Payload)
	}
	changed := maps.Clone(electric)
	changed["voltage_l2_v"] = 228
	s := d.Put(Reading{TS: ts + 2000, Values: changed, Trap: "partial"})
	// The power is shared by the products of voltages and currents.
	want := []string{"active_power_l1_kw", "active_power_l2_kw", "active_power_l3_kw", "voltage_l2_v"}
	if got := slices.Sorted(maps.Keys(s.Values)); !slices.Equal(got, want) {
		t.Errorf("it tells %v, want %v", got, want)
	}
}

// TestThousands: commas between every three digits before the point.
func TestThousands(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1": "1", "999.50": "999.50", "1000": "1,000", "-1234567.8": "-1,234,567.8"} {
		if got := thousands(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
