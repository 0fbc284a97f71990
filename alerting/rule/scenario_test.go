package rule

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/live/snapshot"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// TestScenarios plays testdata/*.txt. A file holds cases:
//
//	case a feeder trips
//	  dead:f1@-1m                       what happens: begins with all well
//	  = elec.outage:f1=raised           every finding that is not clear, in any order
//	  +1m f1.VoltagePU=0.7              a minute later, one thing more
//	  = elec.outage:f1=held
//
// dead:X@-1m  X lost its voltage; cut:X@-1m..+1h by the programme; mute:X@-5m
// its meter fell silent; back:X power returned; X.Field=v any field, where a
// number with a unit of time is a moment. A finding is kind:object=state, then
// !severity and <kind:object of the cause where they are to be checked.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			playFile(t, name)
		})
	}
}

func playFile(t *testing.T, name string) {
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reg := testRegistry(t)
	set, err := New(Config{}, reg)
	if err != nil {
		t.Fatal(err)
	}
	var s *stage
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		at := fmt.Sprintf("%s:%d", name, n)
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case strings.HasPrefix(text, "case "):
			s = &stage{t: t, reg: reg, now: start, title: strings.TrimPrefix(text, "case "), Snapshot: well(reg, start)}
		case strings.HasPrefix(text, "="):
			s.expect(at, set, strings.Fields(text[1:]))
		default:
			for _, word := range strings.Fields(text) {
				s.do(at, word)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// stage is a case that is being played.
type stage struct {
	*snapshot.Snapshot
	t     *testing.T
	reg   *zone.Registry
	now   time.Time
	title string
}

func (s *stage) expect(at string, set *Set, want []string) {
	s.t.Helper()
	got := set.Eval(nil, s.Snapshot, s.now)
	left := slices.Clone(want)
	for _, f := range got {
		i := slices.IndexFunc(left, func(w string) bool { return matches(f, w) })
		if i < 0 {
			s.t.Errorf("%s: %s: unexpected %s", at, s.title, tell(f))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, w := range left {
		s.t.Errorf("%s: %s: missing %s", at, s.title, w)
	}
}

func matches(f Finding, want string) bool {
	want, cause, withCause := strings.Cut(want, "<")
	want, severity, withSeverity := strings.Cut(want, "!")
	return want == short(f.Key)+"="+f.State.String() &&
		(!withSeverity || severity == f.Severity.String()) &&
		(!withCause || cause == short(f.Cause)) && (withCause || f.Cause == Key{} || f.State != Raised)
}

func short(k Key) string {
	if k == (Key{}) {
		return ""
	}
	return k.Kind + ":" + k.Object
}

func tell(f Finding) string {
	return fmt.Sprintf("%s=%s!%s<%s", short(f.Key), f.State, f.Severity, short(f.Cause))
}

// do plays one word.
func (s *stage) do(at, word string) {
	s.t.Helper()
	if wait, err := time.ParseDuration(word); err == nil {
		s.now = s.now.Add(wait)
		s.Now = s.now.UnixMilli()
		for i := range s.Meters {
			if !s.Meters[i].Silent {
				s.Meters[i].Heard = s.Now
			}
		}
		for i := range s.Zones {
			s.Zones[i].Power.SettledAt += wait.Milliseconds()
			s.Zones[i].Water.SettledAt += wait.Milliseconds()
		}
		return
	}
	if verb, object, ok := strings.Cut(word, ":"); ok && !strings.Contains(verb, ".") {
		s.verb(at, verb, object)
		return
	}
	path, value, ok := strings.Cut(word, "=")
	if !ok {
		s.t.Fatalf("%s: %q is no step", at, word)
	}
	id, fields, _ := strings.Cut(path, ".")
	s.set(at, s.object(at, id), strings.Split(fields, "."), value)
}

func (s *stage) verb(at, verb, object string) {
	id, when, _ := strings.Cut(object, "@")
	from, until, _ := strings.Cut(when, "..")
	switch verb {
	case "dead", "cut":
		for _, step := range []string{".VoltagePU=0", ".PowerKW=0", ".Unbalance=NaN", ".Dead.Since=" + from} {
			s.do(at, id+step)
		}
		if verb == "cut" {
			s.do(at, id+".Dead.Planned=true")
			s.do(at, id+".Dead.Return="+until)
		}
	case "back":
		for _, step := range []string{".VoltagePU=1", ".PowerKW=400", ".Dead.Since=0", ".Dead.Planned=false", ".Restored=+0s"} {
			s.do(at, id+step)
		}
	case "mute":
		for i, m := range s.reg.Meters() {
			if m.At == id {
				since := s.moment(at, from)
				s.Meters[i] = snapshot.Meter{Heard: since, Silent: true, Since: since, SkewS: snapshot.Unknown, Gateway: s.Meters[i].Gateway}
			}
		}
		object := s.object(at, id)
		for _, field := range []string{"VoltagePU", "VoltageMean", "PowerKW", "Unbalance", "UnbalanceMean", "FrequencyHz", "CurrentMeanA", "GapRatio",
			"FlowM3H", "PressureBar", "PressureDrop", "FlowExpected", "CoverH", "UsableL", "LossL", "VarianceL"} {
			if object.FieldByName(field).IsValid() {
				s.set(at, object, []string{field}, "NaN")
			}
		}
		if block := object.FieldByName("Block"); block.IsValid() {
			s.set(at, block, []string{"ProjectedKW"}, "NaN")
		}
	default:
		s.t.Fatalf("%s: no verb %q", at, verb)
	}
}

// object finds what has an id: an object, a meter (m-…), a gateway, a part or
// a tanker order.
func (s *stage) object(at, id string) reflect.Value {
	s.t.Helper()
	for i, m := range s.reg.Meters() {
		if m.ID == id {
			return reflect.ValueOf(&s.Meters[i]).Elem()
		}
	}
	for i, o := range s.reg.Tankers() {
		if o.ID == id {
			return reflect.ValueOf(&s.Tankers[i]).Elem()
		}
	}
	for i := range s.Gateways {
		if s.Gateways[i].ID == id {
			return reflect.ValueOf(&s.Gateways[i]).Elem()
		}
	}
	for i := range s.Parts {
		if s.Parts[i].Name == id {
			return reflect.ValueOf(&s.Parts[i]).Elem()
		}
	}
	o, ok := s.reg.Object(id)
	if !ok {
		s.t.Fatalf("%s: there is no %q", at, id)
	}
	i, _ := s.reg.Index(o.Kind, id)
	list := map[zone.Kind]any{
		zone.ZoneKind: s.Zones, zone.SubstationKind: s.Substations, zone.FeederKind: s.Feeders, zone.WaterLineKind: s.WaterLines,
		zone.TankKind: s.Tanks, zone.PlantKind: s.Plants,
	}[o.Kind]
	return reflect.ValueOf(list).Index(i)
}

func (s *stage) set(at string, v reflect.Value, fields []string, value string) {
	s.t.Helper()
	for _, name := range fields {
		if i, err := strconv.Atoi(name); err == nil {
			v = v.Index(i)
		} else {
			v = v.FieldByName(name)
		}
		if !v.IsValid() {
			s.t.Fatalf("%s: no field %q", at, name)
		}
	}
	switch v.Kind() {
	case reflect.Array:
		for i := range v.Len() {
			s.set(at, v, []string{strconv.Itoa(i)}, value)
		}
	case reflect.Float64:
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			s.t.Fatalf("%s: %v", at, err)
		}
		v.SetFloat(x)
	case reflect.Bool:
		v.SetBool(value == "true")
	case reflect.String:
		v.SetString(value)
	default:
		v.SetInt(s.moment(at, value))
	}
}

// moment reads a number, or a time before or after now in milliseconds.
func (s *stage) moment(at, value string) int64 {
	s.t.Helper()
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return n
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	return s.now.Add(d).UnixMilli()
}
