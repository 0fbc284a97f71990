package collector

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/spool"
	"github.com/imdad-telemetry/imdad/collector/vet"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests play.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var native = []decode.Source{{Name: "native", Topics: []string{"imdad/v1/#"}, Profile: "imdad"}}

// registryOf has one city with the zones.
func registryOf(t *testing.T, city string, zones ...string) *zone.Registry {
	t.Helper()
	f := &zone.File{City: zone.City{ID: city, Name: zone.Name{En: city, Ar: city}, Timezone: "Asia/Damascus"}}
	for _, z := range zones {
		f.Zones = append(f.Zones, zone.Zone{ID: z, Name: zone.Name{En: z, Ar: z}})
	}
	r, err := zone.New([]*zone.File{f})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openSpool(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	s, err := spool.Open(t.Context(), spool.Options{
		Dir: dir, Config: spool.DefaultConfig(), Quarantine: spool.QuarantineConfig{MaxBytes: spool.MiB},
		FingerprintBytes: vet.PrintSize * 1000, Now: func() time.Time { return noon }, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pendingLines takes what waits for the database, which must be something.
func pendingLines(t *testing.T, s *spool.Spool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var lines string
	for {
		_, stats, err := s.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if stats.PendingLines == 0 {
			return lines
		}
		c, err := s.Next(ctx, spool.Sink, 1000, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		lines += string(c.Lines)
		if err := s.Done(ctx, spool.Sink, c, nil); err != nil {
			t.Fatal(err)
		}
	}
}
