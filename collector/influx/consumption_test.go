package influx_test

import (
	"testing"

	"github.com/imdad-telemetry/imdad/collector/influx"
)

func TestAppendConsumption(t *testing.T) {
	t.Parallel()
	p := influx.ConsumptionPoint{City: "c", Zone: "z", Meter: "m", Utility: "electricity", Register: "energy_import_kwh", Time: 900_000, Amount: 1.5, Total: 10, Raw: -3, Quality: 5, Reason: "reset"}
	want := `before consumption,city=c,meter=m,register=energy_import_kwh,utility=electricity,zone=z amount=1.5,total=10,raw=-3,quality=5i,reason="reset" 900000` + "\n"
	if got := influx.AppendConsumption([]byte("before "), &p); string(got) != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// A block that was corrected must leave no reason of the one before.
func TestAppendConsumptionWritesEveryField(t *testing.T) {
	t.Parallel()
	p := influx.ConsumptionPoint{City: "c", Zone: "z", Meter: "m", Utility: "water", Register: "volume_m3"}
	want := `consumption,city=c,meter=m,register=volume_m3,utility=water,zone=z amount=0,total=0,raw=0,quality=0i,reason="" 0` + "\n"
	if got := influx.AppendConsumption(nil, &p); string(got) != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestAppendTank(t *testing.T) {
	t.Parallel()
	p := influx.TankPoint{City: "c", Zone: "z", Tank: "t1", Kind: "delivery", Time: 5, End: 9, VolumeL: 12000.5}
	want := `tank_event,city=c,kind=delivery,tank=t1,zone=z volume_l=12000.5,end_ms=9i 5` + "\n"
	if got := influx.AppendTank(nil, &p); string(got) != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}
