package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/imdad-telemetry/imdad/deploy/peers"
)

// goldenPath lists every metric of the service, kept by the service's own tests: name|type|labels|help, a line each.
const goldenPath = "../cmd/imdad/testdata/metrics.golden"

// golden is one metric that the service has.
type golden struct {
	name, kind string
	labels     []string
}

func readGolden(t *testing.T) map[string]golden {
	t.Helper()
	metrics := make(map[string]golden)
	for line := range strings.Lines(read(t, goldenPath)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, "|", 4)
		if len(f) != 4 {
			t.Fatalf("%s: not name|type|labels|help: %q", goldenPath, line)
		}
		metrics[f[0]] = golden{f[0], f[1], strings.FieldsFunc(f[2], func(r rune) bool { return r == ',' || r == ' ' })}
	}
	if len(metrics) == 0 {
		t.Fatalf("%s is empty", goldenPath)
	}
	return metrics
}

// samples returns input series of promtool for the metric, all of its labels' values that the queries choose between.
func (g golden) samples() []string {
	sets := []string{`job="imdad",instance="a"`}
	for _, label := range g.labels {
		values, ok := map[string][]string{
			"city":    {"c1", "c2"},
			"zone":    {"z1", "z2"},
			"utility": {"electricity", "water", "fuel", "generator"},
			"event":   {"added", "replayed", "dropped", "evicted"},
		}[label]
		if !ok {
			values = []string{"x"}
		}
		var product []string
		for _, set := range sets {
			for _, v := range values {
				product = append(product, fmt.Sprintf("%s,%s=%q", set, label, v))
			}
		}
		sets = product
	}
	var names []string
	for _, set := range sets {
		switch g.kind {
		case "histogram":
			names = append(names, g.name+`_bucket{`+set+`,le="0.1"}`, g.name+`_bucket{`+set+`,le="+Inf"}`,
				g.name+`_sum{`+set+`}`, g.name+`_count{`+set+`}`)
		default:
			names = append(names, g.name+`{`+set+`}`)
		}
	}
	return names
}

// fillPromQL replaces Grafana's variables as Grafana does; of a variable's query the selector remains.
func fillPromQL(t *testing.T, text string) string {
	t.Helper()
	text = regexp.MustCompile(`^label_values\((.*), \w+\)$`).ReplaceAllString(text, "$1")
	text = strings.NewReplacer("$city", "(c1|c2)", "$zone", "(z1|z2)", "$__rate_interval", "1m").Replace(text)
	if rest := regexp.MustCompile(`\$\w+`).FindString(text); rest != "" {
		t.Fatalf("no value for %s in %s", rest, text)
	}
	return text
}

// metricNames returns the service's metrics that a text names, a histogram by its base name.
func metricNames(text string, known map[string]golden) (names []string) {
	for name := range keys(text, `\b(imdad_\w+)`) {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if known[base].kind == "histogram" {
			name = base
		}
		names = append(names, name)
	}
	return names
}

// TestQueriesUseMetricsThatExist covers dashboards and rules.
func TestQueriesUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	known := readGolden(t)
	texts := map[string]string{"the rules": read(t, "prometheus/rules/pipeline.yml")}
	for _, q := range queries(t, "prometheus") {
		texts[q.where] = q.text
	}
	for where, text := range texts {
		for _, name := range metricNames(text, known) {
			if _, ok := known[name]; !ok {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
	}
}

// TestPromQLQueriesReturnSeries lets promtool evaluate every PromQL query of the dashboards over series with the names and
// labels that the service has. A query that finds none returns nothing, and its count is not 1.
func TestPromQLQueriesReturnSeries(t *testing.T) {
	t.Parallel()
	type input struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	type sample struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	}
	type expectation struct {
		Expr    string   `yaml:"expr"`
		At      string   `yaml:"eval_time"`
		Samples []sample `yaml:"exp_samples"`
	}
	type unit struct {
		Interval string        `yaml:"interval"`
		Series   []input       `yaml:"input_series"`
		Exprs    []expectation `yaml:"promql_expr_test"`
	}

	u := unit{Interval: "15s"}
	for _, g := range readGolden(t) {
		for _, s := range g.samples() {
			u.Series = append(u.Series, input{s, "0+60x80"})
		}
	}
	all := queries(t, "prometheus")
	if len(all) < 10 {
		t.Fatalf("only %d PromQL queries found", len(all))
	}
	for _, q := range all {
		u.Exprs = append(u.Exprs, expectation{
			Expr: fmt.Sprintf("count(%s) > bool 0", fillPromQL(t, q.text)),
			At:   "15m", Samples: []sample{{"{}", 1}},
		})
	}
	text, err := yaml.Marshal(map[string]any{"tests": []unit{u}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := peers.Promtool(t.Context(), nil, "test", "rules", file); err != nil {
		t.Error(err)
	}
}

func TestPrometheusConfiguration(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"check", "config", "prometheus/prometheus.yml"},
		{"test", "rules", "prometheus/pipeline_test.yml"},
	} {
		out, err := peers.Promtool(t.Context(), nil, args...)
		if err != nil {
			t.Error(err)
		}
		if args[0] == "check" && !strings.Contains(out, "rules found") {
			t.Errorf("the rule files are not found from the configuration:\n%s", out)
		}
	}
}
