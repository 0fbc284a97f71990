package collector

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/influx"
	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// oneFeeder is a zone with a feeder and a plant on it, each with a meter, and
// a gateway.
func oneFeeder(t *testing.T) *zone.Registry {
	t.Helper()
	name := zone.Name{En: "x", Ar: "س"}
	r, err := zone.New([]*zone.File{{
		City: zone.City{ID: "c", Name: name}, Zones: []zone.Zone{{ID: "z", Name: name}},
		Substations: []zone.Substation{{ID: "ss", Name: name, RatingMVA: 30}},
		Feeders:     []zone.Feeder{{ID: "f", Name: name, Zone: "z", From: "ss", RatingA: 400}},
		Plants: []zone.Plant{{
			ID: "p", Name: name, Zone: "z", Feeder: "f", Sector: zone.OtherSector, ContractKVA: 500, Requirement: zone.Requirement{PowerKW: 400},
		}},
		Meters: []zone.Meter{
			{ID: "ef", Zone: "z", Utility: meter.Electricity, At: "f", Gateway: "g"}, {ID: "ep", Zone: "z", Utility: meter.Electricity, At: "p", Gateway: "g"},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func deriving(t *testing.T) *Collector {
	c := ingesting(oneFeeder(t), native, 10)
	c.dir = t.TempDir()
	c.spool, c.log = openSpool(t, t.TempDir()), zerolog.Nop()
	return c
}

func power(id string, kw, volts float64) mqtt.Message {
	payload := fmt.Sprintf(`{"ts":%d,"values":{"active_power_kw":%g,"voltage_l1_v":%g,"voltage_l2_v":%[3]g,"voltage_l3_v":%[3]g}}`, noon.UnixMilli(), kw, volts)
	return mqtt.Message{Topic: "imdad/v1/z/electricity/" + id, Payload: []byte(payload), QoS: 1}
}

func TestTheDerivedSeries(t *testing.T) {
	t.Parallel()
	c := deriving(t)
	takeAll(c, power("ef", 250, 11_500), power("ep", 100, 161)) // 70 % of its voltage
	c.spoolSupply(t.Context(), noon)
	at := fmt.Sprintf(" %d\n", noon.UnixMilli())
	want := "supply,city=c,utility=electricity,zone=z required=400,delivered=250,shortfall_ratio=0.75,adequacy=0.25" + at +
		"supply,city=c,utility=all,zone=z adequacy=0.25" + at +
		"supply,city=c,feeder=f,utility=electricity,zone=z required=400,delivered=250" + at +
		"supply,city=c,plant=p,utility=electricity,zone=z required=400,delivered=100,shortfall_ratio=0.75,adequacy=0.25" + at
	if got := pendingLines(t, c.spool); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	l, err := c.spool.Ledger(t.Context())
	if err != nil || l.LinesDerived != 4 || l.Written != 4 {
		t.Errorf("ledger %+v, %v", l, err)
	}
}

// Who said nothing has no row: neither zero nor a made-up value.
func TestNothingIsDerivedFromSilence(t *testing.T) {
	t.Parallel()
	c := deriving(t)
	c.spoolSupply(t.Context(), noon)
	if got := pendingLines(t, c.spool); strings.Contains(got, "delivered") || strings.Contains(got, "adequacy") || strings.Contains(got, "shortfall") {
		t.Errorf("%s", got)
	}
}

func TestStoreAlarms(t *testing.T) {
	t.Parallel()
	c := deriving(t)
	raise := influx.AlarmPoint{City: "c", Zone: "z", Kind: "elec.outage", Object: "f", Time: 5, State: "unacknowledged", Event: "raise", Severity: 3, Seq: 1}
	suppress, other := raise, raise
	suppress.State, suppress.Event, suppress.Seq = "suppressed", "suppress", 2
	other.Object, other.Seq = "f2", 3
	for _, points := range [][]influx.AlarmPoint{nil, {raise, suppress, other}} {
		if err := c.StoreAlarms(t.Context(), points); err != nil {
			t.Fatal(err)
		}
	}
	const want = `alarm,city=c,kind=elec.outage,object=f,zone=z state="unacknowledged",event="raise",severity=3i,seq=1i 5
alarm,city=c,kind=elec.outage,object=f,zone=z state="suppressed",event="suppress",severity=3i,seq=2i 6
alarm,city=c,kind=elec.outage,object=f2,zone=z state="unacknowledged",event="raise",severity=3i,seq=3i 5
`
	if got := pendingLines(t, c.spool); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if l, err := c.spool.Ledger(t.Context()); err != nil || l.LinesAlarm != 3 {
		t.Errorf("ledger %+v, %v", l, err)
	}
}

func TestAGatewayReachesTheLiveState(t *testing.T) {
	t.Parallel()
	c := deriving(t)
	topic := "imdad/v1/z/gateway/g"
	var snap snapshot.Snapshot
	for _, tt := range []struct {
		payload string
		online  bool
	}{{"offline", false}, {"asleep", false}, {"online", true}} {
		takeAll(c, mqtt.Message{Topic: topic, Payload: []byte(tt.payload), Retained: true})
		c.live.Snapshot(&snap)
		want := snapshot.Gateway{Zone: "z", ID: "g", Online: tt.online, Since: noon.UnixMilli(), Meters: 2}
		if len(snap.Gateways) != 1 || snap.Gateways[0] != want {
			t.Errorf("%s: %+v, want %+v", tt.payload, snap.Gateways, want)
		}
	}
}

// reborn is a collector over what an earlier one has left in a folder.
func reborn(t *testing.T, dir string, log zerolog.Logger) *Collector {
	c := ingesting(oneFeeder(t), native, 10)
	c.dir, c.log, c.spool = dir, log, openSpool(t, t.TempDir())
	c.loadState()
	return c
}

func TestTheLiveStateComesBack(t *testing.T) {
	t.Parallel()
	c := deriving(t)
	takeAll(c, power("ef", 0, 0))
	c.saveState(t.Context(), stateName)
	c.saveState(t.Context(), stateName) // over the first
	log := zerolog.New(zerolog.NewTestWriter(t))
	again := reborn(t, c.dir, log)
	var snap snapshot.Snapshot
	again.live.Snapshot(&snap)
	if since := snap.Feeders[0].Dead.Since; since != noon.UnixMilli() {
		t.Errorf("dead since %d", since)
	}
	if files, err := filepath.Glob(filepath.Join(c.dir, "*")); err != nil || len(files) != 3 {
		t.Errorf("left behind: %v, %v; want %s, %s and %s", files, err, runningName, vetName, seenName)
	}
	// It ends without saving: what is there is older than what people know.
	crashed := reborn(t, c.dir, log)
	if crashed.live.Snapshot(&snap); snap.Feeders[0].VoltagePU[0].Known() {
		t.Errorf("after a crash it is believed: %+v", snap.Feeders[0])
	}
}

func TestADamagedStateIsMovedAside(t *testing.T) {
	t.Parallel()
	for _, name := range []string{stateName, runningName, vetName, seenName} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			reborn(t, dir, zerolog.New(&said))
			if !strings.Contains(said.String(), `"level":"error"`) || !strings.Contains(said.String(), "moved aside") {
				t.Errorf("said %q", said.String())
			}
			if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != "rubbish" {
				t.Errorf("kept %q, %v", kept, err)
			}
			said.Reset()
			reborn(t, dir, zerolog.New(&said)) // nothing is there any more
			if said.Len() > 0 {
				t.Errorf("said %q", said.String())
			}
		})
	}
}

// energy is a message of a counter, so many minutes after eight.
func energy(minutes int, kwh float64) mqtt.Message {
	ts := noon.Add(-4*time.Hour).UnixMilli() + int64(minutes)*60_000
	payload := fmt.Sprintf(`{"ts":%d,"values":{"energy_import_kwh":%g}}`, ts, kwh)
	return mqtt.Message{Topic: "imdad/v1/z/electricity/ep", Payload: []byte(payload), QoS: 1}
}

// What a counter has counted becomes a point for each block of 15 minutes, also
// where the collector was killed between two readings of it.
func TestBlocksOfConsumption(t *testing.T) {
	t.Parallel()
	c := deriving(t)
	for m := range 25 {
		takeAll(c, energy(m, 1000+float64(m)))
	}
	if err := c.spoolBlocks(t.Context()); err != nil {
		t.Fatal(err)
	}
	eight := noon.Add(-4 * time.Hour).UnixMilli()
	line := func(block, amount, total, quality int, reason string) string {
		return fmt.Sprintf("consumption,city=c,meter=ep,register=energy_import_kwh,utility=electricity,zone=z amount=%d,total=%d,raw=%d,quality=%di,reason=%q %d\n",
			amount, total, amount, quality, reason, eight+int64(block)*15*60_000)
	}
	if got, want := pendingLines(t, c.spool), line(0, 15, 1015, 0, ""); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	c.saveState(t.Context(), runningName)
	takeAll(c, energy(25, 1025))
	again := reborn(t, c.dir, zerolog.New(zerolog.NewTestWriter(t)))
	for m := 26; m < 32; m++ {
		takeAll(again, energy(m, 1000+float64(m)))
	}
	if err := again.spoolBlocks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := pendingLines(t, again.spool), line(1, 15, 1030, 0, ""); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
