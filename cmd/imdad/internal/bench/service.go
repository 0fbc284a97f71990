package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// setup is what a service is started with, beside what stays the same.
type setup struct {
	dir      string // holds everything of the run
	data     string // data_dir; empty: dir/data
	broker   string // HOST:PORT
	database string // HOST:PORT
	cities   string // registry file
	series   int    // of /metrics/meters; 0: off
	more     string // sections besides
}

// configuration is the service's, with defaults for everything that decides about speed.
const configuration = `mqtt: {brokers: ["tcp://%s"], client_id: ` + clientID + `}
influx: {url: "http://%s", org: imdad, bucket: utility}
data_dir: %q
http: {listen: "127.0.0.1:0"}
cities: [%q]
log: {level: info, format: json}
metrics: {meters: %t, max_series: %d}
`

// startService runs the service that was built.
func (b *bench) startService(ctx context.Context, s setup) (*child, error) {
	if s.data == "" {
		s.data = filepath.Join(s.dir, "data")
	}
	text := fmt.Sprintf(configuration, s.broker, s.database, s.data, s.cities, s.series > 0, max(s.series, 1)) + s.more
	file := filepath.Join(s.dir, "imdad.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return spawn(ctx, "imdad", s.dir, "--addr-file", b.imdad, "run", "--config", file)
}

// startSink runs a sink; listen and record may be empty.
func (b *bench) startSink(ctx context.Context, dir, listen, record string) (*child, error) {
	args := []string{"sink"}
	if listen != "" {
		args = append(args, "-listen", listen)
	}
	if record != "" {
		args = append(args, "-record", record)
	}
	return spawn(ctx, "sink", dir, "-addr-file", b.self, args...)
}
