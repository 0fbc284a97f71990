package influx

// ConsumptionPoint is a row of the derived measurement consumption: what one
// counter counted in the block of 15 minutes that begins at Time.
type ConsumptionPoint struct {
	City, Zone, Meter string
	Utility, Register string
	Time              int64 // ms

	Amount, Total, Raw float64 // in the register's unit, finite
	Quality            int
	Reason             string
}

// AppendConsumption appends the point as one line with its newline. All fields
// stand in every line: a corrected block leaves nothing of the one it replaces.
func AppendConsumption(dst []byte, p *ConsumptionPoint) []byte {
	dst = append(dst, "consumption"...)
	dst = appendTag(dst, ",city=", p.City)
	dst = appendTag(dst, ",meter=", p.Meter)
	dst = appendTag(dst, ",register=", p.Register)
	dst = appendTag(dst, ",utility=", p.Utility)
	dst = appendTag(dst, ",zone=", p.Zone)
	dst = appendFloat(append(dst, " amount="...), p.Amount)
	dst = appendFloat(append(dst, ",total="...), p.Total)
	dst = appendFloat(append(dst, ",raw="...), p.Raw)
	dst = appendInteger(dst, ",quality=", int64(p.Quality))
	dst = appendText(dst, ",reason=", p.Reason)
	return appendTime(dst, p.Time)
}

// TankPoint is a row of the derived measurement tank_event: a delivery into a
// tank or a draw-off from it, at the time it began.
type TankPoint struct {
	City, Zone, Tank, Kind string
	Time, End              int64 // ms
	VolumeL                float64
}

// AppendTank appends the point as one line with its newline.
func AppendTank(dst []byte, p *TankPoint) []byte {
	dst = append(dst, "tank_event"...)
	dst = appendTag(dst, ",city=", p.City)
	dst = appendTag(dst, ",kind=", p.Kind)
	dst = appendTag(dst, ",tank=", p.Tank)
	dst = appendTag(dst, ",zone=", p.Zone)
	dst = appendFloat(append(dst, " volume_l="...), p.VolumeL)
	dst = appendInteger(dst, ",end_ms=", p.End)
	return appendTime(dst, p.Time)
}
