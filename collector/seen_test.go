package collector

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// seenReading is one of a meter with the index and the registers at values 0, 1, ….
func seenReading(index int, registers ...string) []meter.Reading {
	r := meter.Reading{Series: &meter.Series{Zone: "z1", Utility: meter.Electricity, Meter: fmt.Sprintf("m%05d", index), Index: index}}
	for i, name := range registers {
		r.Values = append(r.Values, meter.Value{Register: name, Value: float64(i)})
	}
	return []meter.Reading{r}
}

func TestSightings(t *testing.T) {
	t.Parallel()
	s := newSightings()
	start := noon.UnixMilli()
	readings := seenReading(7, "active_power_kw", "voltage_l1_v")
	note := func(after time.Duration, topic string, payload string, values ...float64) {
		for i, v := range values {
			readings[0].Values[i].Value = v
		}
		s.note(topic, []byte(payload), start+after.Milliseconds(), "plugs", "tasmota", readings)
	}
	note(0, "tele/a/SENSOR", "first", 1, 230)
	note(30*time.Second, "tele/b/SENSOR", "second", 2, 231)
	want := Sighting{
		Zone: "z1", Utility: "electricity", Meter: "m00007", Source: "plugs", Profile: "tasmota", Topic: "tele/a/SENSOR",
		First: noon, Last: noon.Add(30 * time.Second), Readings: 2, Payload: "first", PayloadBytes: 5,
		Registers: []SeenRegister{{"active_power_kw", 1}, {"voltage_l1_v", 230}},
	}
	expect := func(when string) {
		t.Helper()
		if got := s.list(); len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("%s:\n%+v, want\n%+v", when, got, want)
		}
	}
	expect("within a minute")
	note(60*time.Second, "tele/b/SENSOR", "third", 3, 232)
	want.Last, want.Readings, want.Topic = noon.Add(time.Minute), 3, "tele/b/SENSOR"
	want.Payload, want.Registers = "third", []SeenRegister{{"active_power_kw", 3}, {"voltage_l1_v", 232}}
	expect("after a minute")

	readings[0].Values = []meter.Value{{Register: "frequency_hz", Value: 50}, {Register: "active_power_kw", Value: 9}}
	note(70*time.Second, "tele/b/SENSOR", "fourth")
	want.Last, want.Readings = noon.Add(70*time.Second), 4
	want.Registers = append(want.Registers, SeenRegister{"frequency_hz", 50})
	expect("a new register comes at once, beside the others")
	note(125*time.Second, "tele/b/SENSOR", "fifth", 51, 10)
	want.Last, want.Readings, want.Payload = noon.Add(125*time.Second), 5, "fifth"
	want.Registers = []SeenRegister{{"active_power_kw", 10}, {"voltage_l1_v", 232}, {"frequency_hz", 50}}
	expect("each register in its own minute")
	note(-time.Hour, "tele/b/SENSOR", "sixth", 52, 11)
	want.Last, want.Readings, want.Payload = noon.Add(-time.Hour), 6, "sixth"
	want.Registers = []SeenRegister{{"active_power_kw", 11}, {"voltage_l1_v", 232}, {"frequency_hz", 52}}
	expect("the clock was set back")
}

func TestSeenPayloads(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("قراءة", 1000) // of two bytes a letter
	for _, c := range []struct {
		name, payload string
		text          string
		binary        []byte
	}{
		{"none", "", "", nil},
		{"text", `{"a":1}`, `{"a":1}`, nil},
		{"binary", "\x08\xff\x00", "", []byte("\x08\xff\x00")},
		{"a text that ends in half a character", "a\xd9", "", []byte("a\xd9")},
		{"with a zero", "a\x00b", "", []byte("a\x00b")},
		{"a long text", long, long[:2048], nil},
		{"a long text, cut within a character", "a" + long, "a" + long[:2046], nil},
		{"a long binary", strings.Repeat("\xff", 5000), "", bytes.Repeat([]byte{0xff}, 2048)},
	} {
		s := newSightings()
		s.note("t", []byte(c.payload), 1, "s", "p", seenReading(0, "flow_m3h"))
		got := s.list()[0]
		if got.Payload != c.text || !bytes.Equal(got.PayloadBase64, c.binary) || got.PayloadBytes != len(c.payload) {
			t.Errorf("%s: %q, %x, %d bytes", c.name, got.Payload, got.PayloadBase64, got.PayloadBytes)
		}
	}
}

func TestSeenAreSaved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := ReadSightings(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	s := newSightings()
	s.note("tele/hall-7/SENSOR", []byte(`{"Time":"2026-11-23T12:00:00","ENERGY":{"Power":1205}}`), noon.UnixMilli(), "plugs", "tasmota", seenReading(1, "active_power_kw"))
	s.note("spBv1.0/a/DDATA/b/c", []byte("\x08\xff\x00"), noon.UnixMilli()+5, "sparkplug", "sparkplug-b", seenReading(0, "voltage_l1_v", "flow_m3h"))
	c := &Collector{dir: dir}
	if err := c.write(seenName, s.save); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, seenName))
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/seen.json")
	if err != nil || !bytes.Equal(text, golden) {
		t.Errorf("testdata/seen.json: %v; the file:\n%s", err, text)
	}
	got, err := ReadSightings(dir)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(s.list()) {
		t.Errorf("read %v, %v", got, err)
	}

	again := newSightings()
	again.note("t", nil, noon.UnixMilli()+10, "s", "p", seenReading(1, "flow_m3h"))
	if err := again.load(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	again.note("tele/hall-7/SENSOR", nil, noon.UnixMilli()+90_000, "sparkplug", "sparkplug-b", seenReading(0, "voltage_l1_v"))
	all := again.list()
	if len(all) != 2 || all[0].Readings != 2 || !all[0].First.Equal(noon.Add(5*time.Millisecond)) || len(all[0].Registers) != 2 || all[1].Source != "s" {
		t.Errorf("loaded: %+v", all)
	}
}

func TestSeenFilesThatAreDamaged(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", `{"version":2}`, `[]`, "\x00"} {
		if err := newSightings().load(strings.NewReader(text)); err == nil {
			t.Errorf("%q was loaded", text)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, seenName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSightings(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q was read: %v", text, err)
		}
	}
}

// Those that were silent longest go, and may come back.
func TestSeenAreBounded(t *testing.T) {
	t.Parallel()
	s := newSightings()
	all := make([][]meter.Reading, maxSeen+2000)
	for i := range all {
		all[i] = seenReading(i, "flow_m3h")
		s.note("t", nil, int64(i), "s", "p", all[i])
		s.note("t", nil, int64(i), "s", "p", all[0]) // is never silent for long
	}
	got := s.list()
	if len(got) > maxSeen || len(got) < maxSeen-maxSeen/16 {
		t.Errorf("%d are kept", len(got))
	}
	if got[0].Meter != "m00000" || got[0].Readings != int64(len(all))+1 || got[1].Meter < "m01000" || got[len(got)-1].Meter != "m11999" {
		t.Errorf("first %s with %d, then %s, last %s", got[0].Meter, got[0].Readings, got[1].Meter, got[len(got)-1].Meter)
	}
	s.note("t", nil, 1e6, "s", "p", all[5])
	if i := slices.IndexFunc(s.list(), func(g Sighting) bool { return g.Meter == "m00005" }); i < 0 || s.list()[i].Readings != 1 {
		t.Error("one that was forgotten does not come back")
	}
	names := make([]string, 3*maxSeenRegisters)
	for i := range names {
		names[i] = fmt.Sprint("register_", i)
	}
	s.note("t", nil, 1e6, "s", "p", seenReading(20_000, names...))
	if last := s.list()[len(s.list())-1]; len(last.Registers) != maxSeenRegisters {
		t.Errorf("%d registers", len(last.Registers))
	}
}

func TestRegisteredMetersAreNoSightings(t *testing.T) {
	t.Parallel()
	known := func(meters ...string) *zone.Registry {
		f := &zone.File{
			City:  zone.City{ID: "c", Name: zone.Name{En: "c", Ar: "c"}, Timezone: "Asia/Damascus"},
			Zones: []zone.Zone{{ID: "z1", Name: zone.Name{En: "z", Ar: "z"}}},
		}
		f.Substations = []zone.Substation{{ID: "s1", RatingMVA: 40, Name: zone.Name{En: "s", Ar: "s"}}}
		for _, id := range meters {
			f.Meters = append(f.Meters, zone.Meter{ID: id, Zone: "z1", Utility: meter.Electricity, At: "s1"})
		}
		r, err := zone.New([]*zone.File{f})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	s := newSightings()
	see := func(want ...string) {
		t.Helper()
		for i := range 3 {
			s.note("t", nil, int64(i), "s", "p", seenReading(i, "flow_m3h"))
		}
		var got []string
		for _, g := range s.list() {
			got = append(got, g.Meter)
		}
		if !slices.Equal(got, want) {
			t.Errorf("seen %q, want %q", got, want)
		}
	}
	see("m00000", "m00001", "m00002")
	s.use(known("m00001"))
	see("m00000", "m00002")
	registry := known("m00001", "m00002")
	s.use(registry)
	see("m00000")
	s.use(registry)
	see("m00000")
	s.use(known())
	see("m00000", "m00001", "m00002")

	var saved bytes.Buffer
	if err := s.save(&saved); err != nil {
		t.Fatal(err)
	}
	s = newSightings()
	s.use(registry)
	if err := s.load(&saved); err != nil {
		t.Fatal(err)
	}
	see("m00000")
}

func TestSeenAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	s := newSightings()
	var all sync.WaitGroup
	all.Go(func() {
		for i := range 20_000 {
			s.note("t", []byte("payload"), int64(i)*1000, "s", "p", seenReading(i%300, "flow_m3h"))
		}
	})
	all.Go(func() {
		for range 50 {
			var b bytes.Buffer
			if err := s.save(&b); err != nil {
				t.Error(err)
			}
			if _, err := readSightings(&b); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	if n := len(s.list()); n != 300 {
		t.Errorf("%d meters", n)
	}
}

func TestNotingAllocatesNothing(t *testing.T) {
	s := newSightings()
	readings := seenReading(0, "active_power_kw", "energy_import_kwh", "voltage_l1_v")
	payload := []byte(`{"ts":1}`)
	s.note("t", payload, 1, "s", "p", readings)
	if n := testing.AllocsPerRun(1000, func() { s.note("t", payload, 2, "s", "p", readings) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkNote is a message of a meter that was refreshed lately.
func BenchmarkNote(b *testing.B) {
	for _, c := range []struct {
		name       string
		registers  []string
		registered bool
	}{
		{"three registers", []string{"active_power_kw", "energy_import_kwh", "voltage_l1_v"}, false},
		{"ten registers", strings.Fields("a_kw b_kw c_kw d_kw e_kw f_kw g_kw h_kw i_kw j_kw"), false},
		{"registered", []string{"active_power_kw", "energy_import_kwh", "voltage_l1_v"}, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newSightings()
			all := make([][]meter.Reading, 1000)
			for i := range all {
				all[i] = seenReading(i, c.registers...)
				s.note("t", nil, 1, "s", "p", all[i])
				if c.registered {
					s.series[i] = &s.known
				}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.note("t", nil, 2, "s", "p", all[i%len(all)])
			}
		})
	}
}
