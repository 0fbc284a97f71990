package metersim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// reading is one message on its way from a meter to the broker, where a
// scenario can still change it.
type reading struct {
	probe   int
	def     *zone.Meter
	topic   string
	payload []byte  // as the meter made it
	ts      int64   // the meter's time, ms
	at      int64   // when it arrives
	taken   int64   // when it was read
	again   []int64 // it arrives again, so many ms after at each
	trap    string  // see dress.Reading
	drop    bool
}

// content is a native payload taken apart.
type content struct {
	TS         any                `json:"ts"`
	Seq        int64              `json:"seq,omitempty"`
	Historical bool               `json:"historical,omitempty"`
	Values     map[string]float64 `json:"values"`
}

// change takes the payload apart, lets do change it, and puts it together.
func (r *reading) change(do func(*content)) {
	var c content
	if err := json.Unmarshal(r.payload, &c); err != nil {
		panic(fmt.Sprintf("metersim: own payload %q: %v", r.payload, err))
	}
	c.TS = r.ts
	do(&c)
	r.payload = c.encode()
}

// encode writes the payload; its values are finite by construction.
func (c *content) encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("metersim: encode payload: %v", err))
	}
	return b
}

// stamp replaces the meter's time by what is written.
func (r *reading) stamp(written string) {
	_, rest, _ := bytes.Cut(r.payload, []byte{','})
	r.payload = append([]byte(`{"ts":`+written+`,`), rest...)
}

// stampMS replaces the meter's time.
func (r *reading) stampMS(ms int64) {
	r.ts = ms
	r.stamp(strconv.FormatInt(ms, 10))
}

// isCounter tells whether a register ends a running total.
func isCounter(register string) bool {
	for _, end := range []string{"_kwh", "_kvarh", "volume_m3", "consumed_l", "delivered_l", "run_hours_h"} {
		if strings.HasSuffix(register, end) && register != "tank_volume_m3" {
			return true
		}
	}
	return false
}

// rates are the registers whose integral a counter is.
var rates = map[string]string{
	"energy_import_kwh": "active_power_kw", "reactive_energy_import_kvarh": "reactive_power_kvar",
	"volume_m3": "flow_m3h", "consumed_l": "flow_lph",
}

// localText writes a time as a meter without a notion of zones does.
func localText(ms int64, loc *time.Location) string {
	return time.UnixMilli(ms).In(loc).Format(`"2006-01-02T15:04:05"`)
}
