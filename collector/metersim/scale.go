package metersim

import (
	"fmt"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Scale returns a registry of exactly so many meters that is like reg. A larger
// one holds copies of all of reg's networks, plants, tanks and meters, in the
// same zones, with "-2", "-3", … after their ids, so that loads stay in
// proportion to ratings; of the last copy only some meters may be there. A
// smaller one leaves out meters evenly.
func Scale(reg *zone.Registry, meters int) (*zone.Registry, error) {
	have := len(reg.Meters())
	switch {
	case meters < 1:
		return nil, fmt.Errorf("scale the fleet: %d meters; use at least 1", meters)
	case have == 0:
		return nil, fmt.Errorf("scale the fleet: the registry has no meters")
	}
	s := scaler{reg: reg, files: make(map[string]*zone.File)}
	for _, c := range reg.Cities() {
		s.files[c.ID] = &zone.File{City: c}
	}
	copies := max(1, (meters+have-1)/have)
	for _, z := range reg.Zones() {
		s.zone(z.ID, float64(copies))
	}
	for n := range copies {
		s.copy(n + 1)
	}
	s.rationing(copies)
	s.meters(meters)

	files := make([]*zone.File, 0, len(s.files))
	for _, c := range reg.Cities() {
		files = append(files, s.files[c.ID])
	}
	scaled, err := zone.New(files)
	if err != nil {
		return nil, fmt.Errorf("scale the fleet: %w", err)
	}
	return scaled, nil
}

type scaler struct {
	reg   *zone.Registry
	files map[string]*zone.File // by city
}

func (s *scaler) file(id string) *zone.File {
	o, _ := s.reg.Object(id)
	return s.files[o.City]
}

// nth returns the id of the n-th copy, from 1, of the object with the id.
func nth(id string, n int) string {
	if n == 1 || id == "" {
		return id
	}
	return fmt.Sprintf("%s-%d", id, n)
}

// zone adds a zone that was promised so many times as much.
func (s *scaler) zone(id string, times float64) {
	def, _ := s.reg.Zone(id)
	z := *def
	z.Contract.PowerKW *= times
	z.Contract.WaterM3PerD *= times
	z.Contract.FuelLPerD *= times
	f := s.file(id)
	f.Zones = append(f.Zones, z)
}

// rationing adds the rules, each for all copies of its feeders.
func (s *scaler) rationing(copies int) {
	for _, o := range s.reg.Rationing() {
		f, feeders := s.file(o.Zone), o.Feeders
		if o.Zone == "" {
			f, o.Feeders = s.file(feeders[0]), nil
		}
		for n := range copies {
			for _, id := range feeders {
				o.Feeders = append(o.Feeders, nth(id, n+1))
			}
		}
		f.Rationing = append(f.Rationing, o)
	}
}

// copy adds the n-th copy of everything but zones, rationing and meters.
func (s *scaler) copy(n int) {
	for _, o := range s.reg.Substations() {
		f := s.file(o.ID)
		o.ID = nth(o.ID, n)
		f.Substations = append(f.Substations, o)
	}
	for _, o := range s.reg.Feeders() {
		f := s.file(o.ID)
		o.ID, o.From = nth(o.ID, n), nth(o.From, n)
		f.Feeders = append(f.Feeders, o)
	}
	for _, o := range s.reg.PumpingStations() {
		f := s.file(o.ID)
		o.ID = nth(o.ID, n)
		f.PumpingStations = append(f.PumpingStations, o)
	}
	for _, o := range s.reg.WaterLines() {
		f := s.file(o.ID)
		o.ID, o.From = nth(o.ID, n), nth(o.From, n)
		f.WaterLines = append(f.WaterLines, o)
	}
	for _, o := range s.reg.Tanks() {
		f := s.file(o.ID)
		o.ID, o.Plant = nth(o.ID, n), nth(o.Plant, n)
		f.Tanks = append(f.Tanks, o)
	}
	for _, o := range s.reg.Plants() {
		f := s.file(o.ID)
		o.ID, o.Feeder, o.WaterLine = nth(o.ID, n), nth(o.Feeder, n), nth(o.WaterLine, n)
		f.Plants = append(f.Plants, o)
	}
	for _, o := range s.reg.Tankers() {
		f := s.file(o.Tank)
		o.ID, o.Tank = nth(o.ID, n), nth(o.Tank, n)
		f.Tankers = append(f.Tankers, o)
	}
}

// meters adds total meters, copy by copy.
func (s *scaler) meters(total int) {
	have := s.reg.Meters()
	if total <= len(have) {
		for i := range total {
			s.meter(have[i*len(have)/total], 1)
		}
		return
	}
	for i := range total {
		s.meter(have[i%len(have)], i/len(have)+1)
	}
}

func (s *scaler) meter(m zone.Meter, n int) {
	f := s.file(m.Zone)
	m.ID, m.At, m.Gateway = nth(m.ID, n), nth(m.At, n), nth(m.Gateway, n)
	f.Meters = append(f.Meters, m)
}
