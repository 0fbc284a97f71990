package deploy_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// TestMeasurementsPage holds configs/measurements.md to what the collector writes: the real database has no tag and no
// field that the page does not tell of, and answers its queries.
func TestMeasurementsPage(t *testing.T) {
	t.Parallel()
	page := read(t, "../configs/measurements.md")
	for name := range new(vet.Vetter).Findings() {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("no word of the finding %s", name)
		}
	}
	for code := range meter.Qualities {
		if row := fmt.Sprintf("| %d | `%s` |", code, meter.Quality(code)); !strings.Contains(page, row) {
			t.Errorf("no row %q", row)
		}
	}
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
	ask(t, db.Addr(), "/write", url.Values{"db": {"utility"}, "precision": {"ms"}}, string(oneOfEach()))
	query := func(q string) []series {
		return ask(t, db.Addr(), "/query", url.Values{"db": {"utility"}, "epoch": {"ms"}, "q": {q}}, "")
	}
	for _, q := range []string{"SHOW MEASUREMENTS", "SHOW TAG KEYS", "SHOW FIELD KEYS"} {
		for _, s := range query(q) {
			for _, row := range s.Values {
				if !strings.Contains(page, fmt.Sprintf("`%s`", row[0])) {
					t.Errorf("%s has %s, and the page no word of it", s.Name, row[0])
				}
			}
		}
	}
	examples := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(examples) < 5 {
		t.Fatalf("only %d queries found", len(examples))
	}
	for _, e := range examples {
		if text := fillInfluxQL(t, e[1]); !slices.ContainsFunc(query(text), series.hasValue) {
			t.Errorf("nothing from %s", text)
		}
	}
}

// oneOfEach returns lines of every measurement with all of their tags and fields, under the names that the page's queries use.
func oneOfEach() []byte {
	at := noon.UnixMilli()
	line := influx.AppendReading(nil, influx.AppendSeries(nil, "electricity", "sheikh-najjar", "sn-z1", "sn-f03-e1"), &meter.Reading{
		Time: at, Stamped: true, HasSeq: true, Quality: meter.Good, Reason: "gap", Values: []meter.Value{{Register: "active_power_kw", Value: 7}},
	})
	for i, quality := range []meter.Quality{meter.Good, meter.Reset} {
		line = influx.AppendConsumption(line, &influx.ConsumptionPoint{
			City: "sheikh-najjar", Zone: "sn-z1", Meter: "sn-f03-e1", Utility: "electricity", Register: "energy_import_kwh",
			Time: noon.Add(time.Duration(i) * 15 * time.Minute).UnixMilli(), Amount: 3, Total: 6, Raw: 3, Quality: int(quality), Reason: "reset",
		})
	}
	line = influx.AppendTank(line, &influx.TankPoint{
		City: "sheikh-najjar", Zone: "sn-z1", Tank: "sn-p012-t3", Kind: "delivery", Time: at, End: at + 1, VolumeL: 8000,
	})
	for _, p := range []influx.SupplyPoint{{}, {Feeder: "sn-f03"}, {Plant: "sn-p001"}} {
		p.City, p.Zone, p.Utility, p.Time = "sheikh-najjar", "sn-z1", "electricity", at
		p.Required, p.Delivered, p.ShortfallRatio, p.AdequacyRatio, p.CoverHours = 100, 90, 0.1, 1, 5
		line, _ = influx.AppendSupply(line, &p)
	}
	return influx.AppendAlarm(line, &influx.AlarmPoint{
		City: "sheikh-najjar", Zone: "sn-z1", Kind: "elec.outage", Object: "sn-f03", Time: at, State: "unacknowledged", Event: "raise", Severity: 3, Seq: 1,
	})
}
