package live

import (
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

// TestAdvanceOverExchanges has a counter at 1000 kWh, and an hour later one of
// another device.
func TestAdvanceOverExchanges(t *testing.T) {
	t.Parallel()
	const begin = 1_000_000 * hourMS
	shows := func(v float64) map[string]float64 { return map[string]float64{energyRegister: v} }
	exchanged := func(minute int64, final, initial map[string]float64) zone.Replacement {
		return zone.Replacement{At: time.UnixMilli(begin + minute*minuteMS), Final: final, Initial: initial}
	}
	tests := []struct {
		name      string
		exchanges []zone.Replacement
		value     float64
		want      meter.Increment
	}{
		{"none", nil, 1100, meter.Increment{Amount: 100, Event: meter.CounterForward}},
		{"both devices told", []zone.Replacement{exchanged(30, shows(1060), shows(5))}, 55, meter.Increment{Amount: 110, Event: meter.CounterReplaced}},
		{"the new one shows more", []zone.Replacement{exchanged(30, shows(1060), shows(7000))}, 7050, meter.Increment{Amount: 110, Event: meter.CounterReplaced}},
		{"when the old one was read last", []zone.Replacement{exchanged(0, shows(1060), shows(5))}, 55, meter.Increment{Amount: 55, Event: meter.CounterReset}},
		{"when the new one is read", []zone.Replacement{exchanged(60, shows(1060), shows(55))}, 55, meter.Increment{Amount: 60, Event: meter.CounterReplaced}},
		{"later", []zone.Replacement{exchanged(61, shows(1060), shows(5))}, 1100, meter.Increment{Amount: 100, Event: meter.CounterForward}},
		{"twice", []zone.Replacement{exchanged(20, shows(1030), shows(0)), exchanged(40, shows(20), shows(100))}, 130, meter.Increment{Amount: 80, Event: meter.CounterReplaced}},
		{"nothing told", []zone.Replacement{exchanged(30, nil, nil)}, 55, meter.Increment{Missing: true, Event: meter.CounterReplaced}},
		{"only the old one told", []zone.Replacement{exchanged(30, shows(1060), nil)}, 55, meter.Increment{Missing: true, Event: meter.CounterReplaced}},
		{"only the new one told", []zone.Replacement{exchanged(30, nil, shows(5))}, 55, meter.Increment{Missing: true, Event: meter.CounterReplaced}},
		{"the old one showed less than before", []zone.Replacement{exchanged(30, shows(900), shows(5))}, 55, meter.Increment{Missing: true, Event: meter.CounterReplaced}},
		{"the new one shows less than at first", []zone.Replacement{exchanged(30, shows(1060), shows(500))}, 55, meter.Increment{Missing: true, Event: meter.CounterReplaced}},
		{"more than can have passed", []zone.Replacement{exchanged(30, shows(9000), shows(5))}, 55, meter.Increment{Missing: true, Event: meter.CounterReplaced}},
		{"another register told", []zone.Replacement{exchanged(30, map[string]float64{"energy_export_kwh": 1}, map[string]float64{"energy_export_kwh": 1})}, 55,
			meter.Increment{Missing: true, Event: meter.CounterReplaced}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := meter.Counter{Value: 1000, Time: begin}
			s := scratch{exchanges: tt.exchanges}
			got := s.advance(&c, energyRegister, tt.value, begin+60*minuteMS, meter.CounterLimits{PerH: 100})
			if got != tt.want || c.Value != tt.value {
				t.Errorf("%+v at %v, want %+v at %v", got, c.Value, tt.want, tt.value)
			}
		})
	}
}
