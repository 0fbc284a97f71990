package influx_test

import (
	"math"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/influx"
)

func TestAppendSupply(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name  string
		point influx.SupplyPoint
		want  string
	}{
		{
			"a zone, all known", influx.SupplyPoint{City: "c", Zone: "z", Utility: "water", Time: 60_000, Required: 10, Delivered: 7.5, ShortfallRatio: 0.25, AdequacyRatio: 0.75, CoverHours: 8},
			"supply,city=c,utility=water,zone=z required=10,delivered=7.5,shortfall_ratio=0.25,adequacy=0.75,cover=8 60000\n",
		},
		{
			"a feeder, little known", influx.SupplyPoint{City: "c", Zone: "z", Feeder: "f", Utility: "electricity", Time: 1, Required: nan, Delivered: 0, ShortfallRatio: nan, AdequacyRatio: nan, CoverHours: inf},
			"supply,city=c,feeder=f,utility=electricity,zone=z delivered=0 1\n",
		},
		{
			"a plant", influx.SupplyPoint{City: "c", Zone: "z", Plant: "p", Utility: "fuel", Time: 1, Required: 2, Delivered: nan, ShortfallRatio: nan, AdequacyRatio: 1, CoverHours: nan},
			"supply,city=c,plant=p,utility=fuel,zone=z required=2,adequacy=1 1\n",
		},
		{"nothing known", influx.SupplyPoint{City: "c", Zone: "z", Utility: "fuel", Required: nan, Delivered: nan, ShortfallRatio: nan, AdequacyRatio: nan, CoverHours: inf}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := influx.AppendSupply([]byte("before\n"), &tt.point)
			if string(got) != "before\n"+tt.want || ok != (tt.want != "") {
				t.Errorf("%q, %v; want %q", got, ok, tt.want)
			}
		})
	}
}

func TestAppendAlarm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		point influx.AlarmPoint
		want  string
	}{
		{
			"in a zone", influx.AlarmPoint{City: "c", Zone: "z", Kind: "elec.outage", Object: "f1", Time: 5, State: "unacknowledged", Event: "raise", Severity: 3, Seq: 7},
			`alarm,city=c,kind=elec.outage,object=f1,zone=z state="unacknowledged",event="raise",severity=3i,seq=7i 5` + "\n",
		},
		{
			"in no zone, with odd texts", influx.AlarmPoint{City: "c", Kind: "my rule", Object: "a,b", Time: 5, State: "a\"\\\n", Event: "", Severity: 1, Seq: 8},
			`alarm,city=c,kind=my\ rule,object=a\,b state="a\"\\ ",event="",severity=1i,seq=8i 5` + "\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := influx.AppendAlarm(nil, &tt.point); string(got) != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
