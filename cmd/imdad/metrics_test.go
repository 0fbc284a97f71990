package main

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// goldenMetrics lists every metric of the service, one a line:
// name|type|labels|help. Dashboards, rules and people's own queries rely on it.
const goldenMetrics = "testdata/metrics.golden"

// nobody is an address at which no program listens.
const nobody = "127.0.0.1:9"

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	c.config.Metrics.Meters = true
	// Nobody is told, but channels count from the start.
	c.config.Channels.SMS.URL = "http://" + nobody + "/sms"
	c.config.Channels.Alertmanager.URLs = []string{"http://" + nobody}
	c.start()
	stream := c.publish(6 * e2eMeters) // every meter speaks, of every utility, and often enough to tell of its clock
	stream.wait()
	c.waitSettled()

	var found []string
	for _, path := range []string{"/metrics", "/metrics/meters"} {
		code, page, err := c.get(path)
		if err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d %v", path, code, err)
		}
		if out, err := peers.Promtool(t.Context(), strings.NewReader(page), "check", "metrics"); err != nil || out != "" {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(page))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), "imdad_") {
				found = append(found, describe(f))
			}
		}
	}
	slices.Sort(found)
	got := []byte(strings.Join(found, "\n") + "\n")
	if *update {
		if err := os.WriteFile(goldenMetrics, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenMetrics)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the metrics are\n%s\nnot, as in %s,\n%s\nrun with -update if that is meant", got, goldenMetrics, want)
	}
}

func describe(f *dto.MetricFamily) string {
	var labels []string
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if !slices.Contains(labels, l.GetName()) {
				labels = append(labels, l.GetName())
			}
		}
	}
	slices.SortFunc(labels, cmp.Compare)
	return fmt.Sprintf("%s|%s|%s|%s", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ","), f.GetHelp())
}
