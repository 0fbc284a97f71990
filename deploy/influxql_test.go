package deploy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// registers of each utility as meters send them; they are written with the collector's own encoder.
var registers = map[meter.Utility][]string{
	meter.Electricity: {
		"active_power_kw", "reactive_power_kvar", "energy_import_kwh", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v",
		"current_l1_a", "current_l2_a", "current_l3_a", "frequency_hz", "power_factor",
	},
	meter.Water:     {"volume_m3", "flow_m3h", "pressure_bar", "temperature_c", "tank_level_m", "tank_volume_m3"},
	meter.Fuel:      {"volume_l", "volume15_l", "level_mm", "temperature_c", "flow_lph", "consumed_l", "delivered_l"},
	meter.Generator: {"running", "active_power_kw", "energy_export_kwh", "run_hours_h", "fuel_rate_lph", "battery_v"},
}

// The dashboard looks at two zones with two meters each; a third zone must not show.
var (
	zones  = []string{"sn-z1", "sn-z2"}
	hidden = "adra-z1"
	meters = []string{"m-1", "m.2"}
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// TestInfluxQLQueriesReturnSeries runs every InfluxQL query of the dashboards on the real database.
func TestInfluxQLQueriesReturnSeries(t *testing.T) {
	t.Parallel()
	db, err := peers.StartInfluxDB(t.Context(), peers.InfluxDBOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	ask(t, db.Addr(), "/query", url.Values{"q": {"CREATE DATABASE utility"}}, "")
	ask(t, db.Addr(), "/write", url.Values{"db": {"utility"}, "precision": {"ms"}}, readings())

	all := queries(t, "influxdb")
	if len(all) < 5 {
		t.Fatalf("only %d InfluxQL queries found", len(all))
	}
	for _, q := range all {
		t.Run(q.where, func(t *testing.T) {
			text := fillInfluxQL(t, q.text)
			series := ask(t, db.Addr(), "/query", url.Values{"db": {"utility"}, "epoch": {"ms"}, "q": {text}}, "")
			if len(series) == 0 {
				t.Fatalf("no series from %s", text)
			}
			tag := regexp.MustCompile(`GROUP BY time\([^)]*\), "(\w+)"`).FindStringSubmatch(text)
			for _, s := range series {
				if !s.hasValue() {
					t.Errorf("nothing but nulls in %s %v from %s", s.Name, s.Tags, text)
				}
				if s.Tags["zone"] == hidden {
					t.Errorf("the zone that was not chosen shows: %s", text)
				}
			}
			if want := 2; tag != nil && len(series) != want { // zones and meters are two each
				t.Errorf("%d series, want one for each %s, %d", len(series), tag[1], want)
			}
			for _, named := range regexp.MustCompile(`\$tag_(\w+)`).FindAllStringSubmatch(q.alias, -1) {
				if tag == nil || tag[1] != named[1] {
					t.Errorf("the legend shows %s, by which the query does not group", named[0])
				}
			}
		})
	}
}

// readings returns a few minutes of line protocol; every second reading carries a doubt.
func readings() string {
	var lines []byte
	for utility, names := range registers {
		for _, z := range append(slices.Clone(zones), hidden) {
			for _, m := range meters {
				series := influx.AppendSeries(nil, string(utility), "c-"+z[:2], z, m)
				for minute := range 4 {
					r := meter.Reading{Time: noon.Add(time.Duration(minute) * time.Minute).UnixMilli()}
					if minute%2 == 1 {
						r.Quality = meter.Suspect
					}
					for i, name := range names {
						r.Values = append(r.Values, meter.Value{Register: name, Value: float64(minute + i)})
					}
					lines = influx.AppendReading(lines, series, &r)
				}
			}
		}
	}
	lines = append(lines, blocks()...)
	return string(append(lines, alarms()...))
}

// blocks returns what counters have counted in a few blocks of 15 minutes, half of them estimated and half with a reset.
func blocks() (lines []byte) {
	for utility, register := range map[meter.Utility]string{meter.Electricity: "energy_import_kwh", meter.Water: "volume_m3"} {
		for _, z := range append(slices.Clone(zones), hidden) {
			for _, m := range meters {
				for block, quality := range []meter.Quality{meter.Estimated, meter.Reset} {
					lines = influx.AppendConsumption(lines, &influx.ConsumptionPoint{
						City: "c-" + z[:2], Zone: z, Meter: m, Utility: string(utility), Register: register,
						Time: noon.Add(time.Duration(block) * 15 * time.Minute).UnixMilli(), Amount: 3, Total: 6, Raw: 3, Quality: int(quality),
					})
				}
			}
		}
	}
	return lines
}

// alarms returns the journal of two kinds of alarms, in zones and outside of them.
func alarms() (lines []byte) {
	for i, at := range append(slices.Clone(zones), hidden, "") {
		for k, kind := range []string{"elec.outage", "water.burst"} {
			lines = influx.AppendAlarm(lines, &influx.AlarmPoint{
				City: "c-sn", Zone: at, Kind: kind, Object: "o", Time: noon.Add(time.Duration(i) * time.Minute).UnixMilli(),
				State: "unacknowledged", Event: "raise", Severity: 3, Seq: int64(2*i + k + 1),
			})
		}
	}
	return lines
}

// fillInfluxQL replaces Grafana's variables as Grafana does: several values become an alternative in a regular expression.
func fillInfluxQL(t *testing.T, text string) string {
	t.Helper()
	quote := func(values ...string) string {
		for i := range values {
			values[i] = regexp.QuoteMeta(values[i])
		}
		return "(" + strings.Join(values, "|") + ")"
	}
	text = strings.NewReplacer(
		"$city", "(c-sn)",
		"$zone", quote(slices.Clone(zones)...),
		"$meter", quote(slices.Clone(meters)...),
		"$__interval", "1m",
		"$timeFilter", fmt.Sprintf("time >= %dms and time <= %dms", noon.UnixMilli(), noon.Add(time.Hour).UnixMilli()),
	).Replace(text)
	if rest := regexp.MustCompile(`\$\w+`).FindString(text); rest != "" {
		t.Fatalf("no value for %s in %s", rest, text)
	}
	return text
}

type series struct {
	Name   string            `json:"name"`
	Tags   map[string]string `json:"tags"`
	Values [][]any           `json:"values"`
}

// hasValue says whether any point has a value besides its time.
func (s series) hasValue() bool {
	return slices.ContainsFunc(s.Values, func(row []any) bool { return len(row) > 1 && row[1] != nil && row[1] != 0.0 })
}

// ask posts to the database; anything but success fails the test.
func ask(t *testing.T, addr, path string, params url.Values, body string) []series {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path+"?"+params.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s: %s: %s (%v)", params.Get("q"), resp.Status, text, err)
	}
	if len(text) == 0 {
		return nil
	}
	var answer struct {
		Results []struct {
			Series []series `json:"series"`
			Error  string   `json:"error"`
		} `json:"results"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Results) != 1 || answer.Results[0].Error != "" {
		t.Fatalf("%s: %s", params.Get("q"), text)
	}
	return answer.Results[0].Series
}
