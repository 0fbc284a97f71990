package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// city is the shipped one that the fleets are scaled from.
const city = "sheikh-najjar"

// fleet is a city scaled to so many meters, and the registry file that describes it to the service. The file has the
// network of one city, at whose objects the meters of all its copies stand: a country's meters are a list, its network
// is not one file.
type fleet struct {
	meters   int
	registry *zone.Registry
	file     string
}

// fleet returns the fleet of so many meters.
func (b *bench) fleet(meters int) (*fleet, error) {
	if f := b.fleets[meters]; f != nil {
		return f, nil
	}
	shipped, err := configs.ShippedRegistry(city)
	if err != nil {
		return nil, err
	}
	registry, err := metersim.Scale(shipped, meters)
	if err != nil {
		return nil, err
	}
	dir, err := b.folder("city")
	if err != nil {
		return nil, err
	}
	f := &fleet{meters: meters, registry: registry, file: filepath.Join(dir, "city.yaml")}
	if err := describe(f.file, shipped, registry.Meters()); err != nil {
		return nil, fmt.Errorf("write the registry of %d meters: %w", meters, err)
	}
	b.fleets[meters] = f
	return f, nil
}

// describe writes a registry file with a network and meters that stand at copies of its objects.
func describe(path string, network *zone.Registry, meters []zone.Meter) error {
	const list = "meters.csv"
	file := zone.File{
		City: network.Cities()[0], Substations: network.Substations(), Feeders: network.Feeders(),
		PumpingStations: network.PumpingStations(), WaterLines: network.WaterLines(), Tanks: network.Tanks(),
		Plants: network.Plants(), MetersCSV: []string{list},
	}
	for _, z := range network.Zones() {
		def, _ := network.Zone(z.ID)
		file.Zones = append(file.Zones, *def)
	}
	text, err := configs.MarshalRegistry(&file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	meters = slices.Clone(meters)
	for i := range meters {
		meters[i].At = original(network, meters[i].At)
	}
	return writeMeters(filepath.Join(filepath.Dir(path), list), meters)
}

// original undoes the "-2", "-3", … that scaling puts after ids.
func original(network *zone.Registry, id string) string {
	if _, ok := network.Object(id); ok {
		return id
	}
	return id[:strings.LastIndexByte(id, '-')]
}

func writeMeters(path string, meters []zone.Meter) error {
	rows := [][]string{{"id", "zone", "utility", "at", "interval_s", "gateway", "backup"}}
	for _, m := range meters {
		rows = append(rows, []string{m.ID, m.Zone, string(m.Utility), m.At, strconv.FormatFloat(m.IntervalS, 'f', -1, 64), m.Gateway, strconv.FormatBool(m.Backup)})
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := csv.NewWriter(file).WriteAll(rows); err != nil {
		_ = file.Close() // writing has failed already
		return err
	}
	return file.Close()
}

// publish lets the fleet publish so many messages to a broker, as fast as that takes them, with times a second apart
// that end now.
func (f *fleet) publish(ctx context.Context, broker string, messages int64) error {
	rounds := time.Duration(messages/int64(f.meters) + 1)
	o := f.options(broker)
	o.Start, o.Speed, o.Interval, o.Messages = time.Now().Add(-rounds*time.Second), 1e9, time.Second, messages
	return f.run(ctx, o)
}

func (f *fleet) options(broker string) metersim.Options {
	o := metersim.DefaultOptions()
	o.Registry, o.Seed, o.Broker, o.Drain, o.Log = f.registry, 1, "tcp://"+broker, time.Minute, zerolog.Nop()
	return o
}

// run fails unless the broker has acknowledged everything.
func (f *fleet) run(ctx context.Context, o metersim.Options) error {
	sim, err := metersim.New(o)
	if err != nil {
		return err
	}
	sum, err := sim.Run(ctx)
	if err != nil {
		return err
	}
	if sum.Published != sum.Acknowledged || o.Messages != 0 && sum.Published != o.Messages {
		return fmt.Errorf("the simulated meters fell short: %v", sum)
	}
	return ctx.Err()
}
