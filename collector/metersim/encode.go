package metersim

import (
	"math"
	"strconv"
)

// values builds the JSON object of a message's registers.
type values struct {
	buf []byte
}

var scales = [...]float64{1, 10, 100, 1000, 10000}

// put appends one register. The key carries its quotes and colon. The number
// has the decimals a meter's display would have; fixed point is several times
// faster to write than the shortest exact form, which nobody would read.
func (v *values) put(key string, x float64, decimals int) {
	if v.buf[len(v.buf)-1] != '{' {
		v.buf = append(v.buf, ',')
	}
	v.buf = append(v.buf, key...)
	n := int64(math.Round(x * scales[decimals]))
	if n < 0 {
		v.buf = append(v.buf, '-')
		n = -n
	}
	scale := int64(scales[decimals])
	v.buf = strconv.AppendInt(v.buf, n/scale, 10)
	if decimals == 0 {
		return
	}
	v.buf = append(v.buf, '.')
	for rest := n % scale; scale > 1; {
		scale /= 10
		v.buf = append(v.buf, byte('0'+rest/scale))
		rest %= scale
	}
}
