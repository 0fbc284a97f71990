package rule

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

const shipped = "../../configs/rules.yaml"

// TestShipped holds the manual against the table: every kind, every default.
func TestShipped(t *testing.T) {
	t.Parallel()
	c := readShipped(t)
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(c.Rules) != len(catalogue) {
		t.Fatalf("%d rules for %d kinds", len(c.Rules), len(catalogue))
	}
	for i, k := range Kinds() {
		if got, want := describe(c.Rules[i]), describe(manual(k)); got != want {
			t.Errorf("rules[%d]:\n got %s\nwant %s", i, got, want)
		}
	}
}

// TestShippedFields: the manual names every field that there is.
func TestShippedFields(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	_, manual, _ := strings.Cut(string(data), "# Fields of all objects:")
	named := strings.FieldsFunc(manual, func(r rune) bool { return strings.ContainsRune(" \n,:()#", r) })
	for kind, fields := range Fields() {
		for _, f := range fields {
			if !slices.Contains(named, f) {
				t.Errorf("%s: the manual does not name the field %s", kind, f)
			}
		}
	}
}

func readShipped(t *testing.T) Config {
	t.Helper()
	data, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// manual is the rule that says what a kind's defaults are.
func manual(k Kind) Rule {
	yes := true
	r := Rule{Kind: k.ID, Enabled: &yes, Severity: k.Severity.String(), OnDelay: &k.OnDelay, OffDelay: &k.OffDelay}
	for _, t := range []struct {
		to    **float64
		value float64
	}{{&r.On, k.On}, {&r.Clear, k.Clear}, {&r.Severe, k.Severe}} {
		if has(t.value) {
			*t.to = &t.value
		}
	}
	for _, p := range k.Params {
		if r.Params == nil {
			r.Params = make(map[string]float64)
		}
		r.Params[p.Name] = p.Default
	}
	return r
}

func describe(r Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at=%q severity=%s", r.Kind, r.At, r.Severity)
	if r.Enabled != nil {
		fmt.Fprintf(&b, " enabled=%v", *r.Enabled)
	}
	for i, v := range []*float64{r.On, r.Clear, r.Severe} {
		if v != nil {
			fmt.Fprintf(&b, " %s=%v", [...]string{"on", "clear", "severe"}[i], *v)
		}
	}
	for i, d := range []*time.Duration{r.OnDelay, r.OffDelay} {
		if d != nil {
			fmt.Fprintf(&b, " %s=%v", [...]string{"on_delay", "off_delay"}[i], *d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		fmt.Fprintf(&b, " %s=%v", name, r.Params[name])
	}
	return b.String()
}
