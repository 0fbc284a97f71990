package message_test

import (
	"maps"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// names is a small registry.
type names map[string]zone.Object

func (n names) Object(id string) (zone.Object, bool) {
	o, ok := n[id]
	return o, ok
}

var town = names{
	"sheikh-najjar": {Kind: zone.CityKind, Name: zone.Name{En: "Sheikh Najjar Industrial City", Ar: "المدينة الصناعية بالشيخ نجار"}},
	"sn-z1":         {Kind: zone.ZoneKind, Name: zone.Name{En: "Zone 1, large plots", Ar: "المنطقة الأولى، المقاسم الكبيرة"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-z2":         {Kind: zone.ZoneKind, Name: zone.Name{En: "Zone 2, medium plots", Ar: "المنطقة الثانية، المقاسم المتوسطة"}, Zone: "sn-z2", City: "sheikh-najjar"},
	"sn-f01":        {Kind: zone.FeederKind, Name: zone.Name{En: "Feeder 01, Spinning A", Ar: "مخرج 01، الغزل أ"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-f02":        {Kind: zone.FeederKind, Name: zone.Name{En: "Feeder 02, Spinning B", Ar: "مخرج 02، الغزل ب"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-w01":        {Kind: zone.WaterLineKind, Name: zone.Name{En: "Main 1 east", Ar: "الخط الرئيسي 1، الشرقي"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-t01":        {Kind: zone.TankKind, Name: zone.Name{En: "Tank 1", Ar: "خزان 1"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-p001":       {Kind: zone.PlantKind, Name: zone.Name{En: "Ring spinning mill 1", Ar: "معمل الغزل الحلقي 1"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-p002":       {Kind: zone.PlantKind, Name: zone.Name{En: "Dye house 2", Ar: "المصبغة 2"}, Zone: "sn-z1", City: "sheikh-najjar"},
	"sn-p003":       {Kind: zone.PlantKind, Name: zone.Name{En: "Food plant 3", Ar: "معمل الأغذية 3"}, Zone: "sn-z2", City: "sheikh-najjar"},
}

// damascus is the city's zone; UTC+3 all year since October 2022.
var damascus = time.FixedZone("Asia/Damascus", 3*60*60)

// noon is when the notices of the tests are made: Monday 23 November 2026.
var noon = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// details is what a finding of each kind brings along.
var details = map[string]struct {
	object  string
	numbers map[string]float64
	words   map[string]string
	stalls  []string
}{
	"elec.outage":             {object: "sn-f01", stalls: []string{"sn-p001", "sn-p002"}},
	"elec.phase_loss":         {object: "sn-p001", words: map[string]string{"ph": "L2"}},
	"elec.ration_overrun":     {object: "sn-f01", numbers: map[string]float64{"n": 25}},
	"elec.ration_unannounced": {object: "sn-z1", stalls: []string{"sn-p001", "sn-p002", "sn-p003"}},
	"elec.voltage_low":        {object: "sn-p001", numbers: map[string]float64{"pct": 86.43}},
	"elec.voltage_high":       {object: "sn-p001", numbers: map[string]float64{"pct": 111.0}},
	"elec.unbalance":          {object: "sn-p001", numbers: map[string]float64{"pct": 2.35}},
	"elec.frequency":          {object: "sheikh-najjar", numbers: map[string]float64{"hz": 49.375}},
	"elec.shortfall":          {object: "sn-z1", numbers: map[string]float64{"mw": 12.345, "pct": 23.4}},
	"elec.demand_high":        {object: "sn-p001"},
	"elec.feeder_overload":    {object: "sn-f01", numbers: map[string]float64{"pct": 94.6}},
	"water.pressure_low":      {object: "sn-p002", numbers: map[string]float64{"bar": 1.52}},
	"water.stopped":           {object: "sn-z1", stalls: []string{"sn-p002"}},
	"water.shortfall":         {object: "sn-z1", numbers: map[string]float64{"m3h": 1234.5, "pct": 31}},
	"water.tank_low":          {object: "sn-t01", numbers: map[string]float64{"h": 6.52}},
	"water.burst":             {object: "sn-w01"},
	"water.night_leak":        {object: "sn-w01"},
	"fuel.cover_low":          {object: "sn-t01", numbers: map[string]float64{"d": 2}, words: map[string]string{"fuel": "mazut"}},
	"fuel.tanker_late":        {object: "sn-p002", numbers: map[string]float64{"h": 5}, words: map[string]string{"fuel": "diesel", "order": "T-0117"}},
	"fuel.loss":               {object: "sn-t01", numbers: map[string]float64{"l": 1250.4}},
	"fuel.reconcile":          {object: "sn-t01", numbers: map[string]float64{"l": 640}},
	"fuel.delivery_short":     {object: "sn-t01", numbers: map[string]float64{"l": 215}},
	"plant.stall_forecast":    {object: "sn-p002", numbers: map[string]float64{"h": 9}, words: map[string]string{"res": "water"}, stalls: []string{"sn-p002"}},
	"plant.stalled":           {object: "sn-p001", words: map[string]string{"cause": "elec.outage", "cause_at": "sn-f01"}, stalls: []string{"sn-p001"}},
	"zone.inadequate":         {object: "sn-z1", numbers: map[string]float64{"pct": 71.2, "n": 14}},
	"balance.gap":             {object: "sn-f01", numbers: map[string]float64{"pct": 17.5}},
	"meter.offline":           {object: "e-0042"},
	"meter.stuck":             {object: "e-0042"},
	"meter.clock":             {object: "e-0042", numbers: map[string]float64{"s": -75}},
	"meter.reset":             {object: "e-0042"},
	"gateway.offline":         {object: "gw-3", numbers: map[string]float64{"n": 17}},
	"pipeline.fault":          {object: "database", words: map[string]string{"part": "database", "fault": "dial tcp 10.0.0.7:8086: connection refused"}},
	"alarm.flood":             {object: "samir"},
}

// sample is an alarm of that kind as it looks half an hour after it began.
func sample(t *testing.T, kind string) alarm.Alarm {
	t.Helper()
	d, ok := details[kind]
	if !ok {
		t.Fatalf("there is no sample of kind %s", kind)
	}
	a := alarm.Alarm{
		Key: rule.Key{Kind: kind, Object: d.object}, Severity: rule.High, State: alarm.Unacknowledged,
		Since: noon.Add(-47 * time.Minute), Raised: noon.Add(-46 * time.Minute), Changed: noon.Add(-2 * time.Minute),
		Numbers: maps.Clone(d.numbers), Words: maps.Clone(d.words), Stalls: d.stalls,
	}
	for _, k := range rule.Kinds() {
		if k.ID == kind {
			a.Severity, a.Latched = k.Severity, k.Latched
			a.ObjectKind = k.About[0]
		}
	}
	if o, ok := town[d.object]; ok {
		a.InZone, a.City, a.ObjectKind = o.Zone, o.City, o.Kind
	} else if a.ObjectKind == rule.MeterObject || a.ObjectKind == rule.GatewayObject {
		a.InZone, a.City, a.Zone, a.Utility = "sn-z1", "sheikh-najjar", "sn-z1", "electricity"
	}
	return a
}

func content(typ message.Type, alarms ...alarm.Alarm) message.Content {
	return message.Content{Type: typ, Now: noon, Alarms: alarms}
}

// notices is one content of each type, and the marks that go with them.
func notices(t *testing.T) map[string]message.Content {
	t.Helper()
	outage, stall, silent := sample(t, "elec.outage"), sample(t, "plant.stall_forecast"), sample(t, "meter.offline")
	worse := sample(t, "elec.voltage_low")
	worse.Severity = rule.High
	old := outage
	old.Since = noon.Add(-50 * time.Hour)
	lastYear := outage
	lastYear.Since = noon.AddDate(-1, 0, 0)
	acknowledged := outage
	acknowledged.State, acknowledged.AcknowledgedBy = alarm.Acknowledged, "samir"
	own := custom("boiler-cold", map[string]string{"text_en": "Boiler at {site} at {temp} °C ({what})", "text_ar": "حرارة المرجل في {site}: {temp} °م ({what})", "what": "water"})
	oneLanguage := custom("boiler-cold", map[string]string{"text_ar": "حرارة المرجل منخفضة"})
	all := map[string]message.Content{
		"alarm":        content(message.Alarm, outage),
		"group":        content(message.Alarm, outage, stall, silent),
		"group-of-two": content(message.Alarm, outage, silent),
		"old":          content(message.Alarm, old),
		"last-year":    content(message.Alarm, lastYear),
		"step":         content(message.Step, worse),
		"reminder":     content(message.Reminder, outage),
		"escalation":   content(message.Escalation, outage),
		"acknowledged": content(message.Alarm, acknowledged),
		"returned":     content(message.Returned, outage),
		"returned-two": content(message.Returned, outage, silent),
		"repeated":     {Type: message.Alarm, Now: noon, Alarms: []alarm.Alarm{outage}, Repeated: true},
		"custom":       content(message.Alarm, own),
		"custom-ar":    content(message.Alarm, oneLanguage),
		"custom-bare":  content(message.Alarm, custom("boiler-cold", nil)),
		"digest":       {Type: message.Digest, Now: noon, Alarms: []alarm.Alarm{outage, stall, stall, silent}, Total: 34, Stalled: []string{"sn-p001", "sn-p002", "sn-p003"}},
		"digest-none":  {Type: message.Digest, Now: noon},
		"upcoming":     {Type: message.Upcoming, Now: noon, Feeder: "sn-f01", From: noon.Add(time.Hour), To: noon.Add(3*time.Hour + 30*time.Minute)},
		"upcoming-two": {Type: message.Upcoming, Now: noon, Feeder: "sn-f01", Feeders: []string{"sn-f01", "sn-f02"}, From: noon.Add(14 * time.Hour), To: noon.Add(26 * time.Hour), Stalled: []string{"sn-p001"}},
	}
	for _, name := range []string{"alarm", "digest", "escalation"} {
		c := all[name]
		c.AckURL = "https://imdad.example/ack?alarm=elec.outage%3Asn-f01&occurrence=17&signature=8f3a"
		all[name] = c
	}
	return all
}

// custom is an alarm of a zone's own rule.
func custom(id string, words map[string]string) alarm.Alarm {
	return alarm.Alarm{
		Key: rule.Key{Kind: id, Object: "sn-p002"}, Severity: rule.Medium, InZone: "sn-z1", City: "sheikh-najjar",
		ObjectKind: zone.PlantKind, Since: noon.Add(-5 * time.Minute), Raised: noon.Add(-5 * time.Minute),
		Numbers: map[string]float64{"temp": 61.27}, Words: words,
	}
}

func renderer(t testing.TB) *message.Renderer {
	t.Helper()
	r, err := message.New(town)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func render(t testing.TB, r *message.Renderer, c message.Content, l message.Language) message.Text {
	t.Helper()
	x, err := r.Render(c, l, damascus)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
