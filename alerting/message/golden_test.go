package message_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

var update = flag.Bool("update", false, "rewrite the golden files and the generated parts of configs/alarms")

// counts takes Arabic through its six plural forms, twice through "other", and
// to a fraction and to what nobody measured.
var counts = []float64{0, 1, 2, 3, 11, 100, 1.5, 1234, math.NaN()}

// TestGoldenKinds writes out every kind of alarm, raised and returned, and its
// subject and short text for each plural form.
func TestGoldenKinds(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, k := range rule.Kinds() {
		for _, l := range message.Languages {
			t.Run(k.ID+"."+string(l), func(t *testing.T) {
				t.Parallel()
				var b strings.Builder
				a := sample(t, k.ID)
				for _, typ := range []message.Type{message.Alarm, message.Returned} {
					b.WriteString(whole(string(typ), render(t, r, content(typ, a), l)))
				}
				for _, n := range countsOf(a) {
					b.WriteString(brief(n, render(t, r, content(message.Alarm, withCount(a, n)), l)))
				}
				golden(t, k.ID+"."+string(l)+".txt", b.String())
			})
		}
	}
}

// countsOf is the counts for kinds that count something.
func countsOf(a alarm.Alarm) []float64 {
	if countedNumber(a) == "" {
		return nil
	}
	return counts
}

func countedNumber(a alarm.Alarm) string {
	for _, name := range []string{"n", "h", "d", "l", "s"} {
		if _, ok := a.Numbers[name]; ok {
			return name
		}
	}
	return ""
}

func withCount(a alarm.Alarm, n float64) alarm.Alarm {
	numbers := map[string]float64{}
	for name, v := range a.Numbers {
		numbers[name] = v
	}
	numbers[countedNumber(a)] = n
	a.Numbers = numbers
	return a
}

// TestGoldenNotices writes out every type of notice.
func TestGoldenNotices(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for name, c := range notices(t) {
		for _, l := range message.Languages {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				got := render(t, r, c, l)
				golden(t, "notice."+name+"."+string(l)+".txt", whole(name, got))
				if name == "alarm" || name == "digest" {
					golden(t, "notice."+name+"."+string(l)+".html", got.HTML)
				}
			})
		}
	}
}

func whole(title string, x message.Text) string {
	return fmt.Sprintf("== %s\n%s\n\n%s\n-- short, %d\n%s\n\n", title, x.Subject, x.Plain, len([]rune(x.Short)), x.Short)
}

func brief(n float64, x message.Text) string {
	return fmt.Sprintf("== %v\n%s\n%s\n\n", n, x.Subject, x.Short)
}

// golden holds text against a file, after the checks that hold for every text.
func golden(t *testing.T, name, got string) {
	t.Helper()
	for _, complaint := range complaints(got) {
		t.Errorf("%s: %s", name, complaint)
	}
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update to make it)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update if that is meant)\n--- got\n%s\n--- want\n%s", name, got, want)
	}
}

// TestGoldenFilesAreNeeded finds golden files that no test makes any more.
func TestGoldenFilesAreNeeded(t *testing.T) {
	t.Parallel()
	needed := map[string]bool{}
	for _, l := range message.Languages {
		for _, k := range rule.Kinds() {
			needed[k.ID+"."+string(l)+".txt"] = true
		}
		for name := range notices(t) {
			needed["notice."+name+"."+string(l)+".txt"] = true
		}
		needed["notice.alarm."+string(l)+".html"], needed["notice.digest."+string(l)+".html"] = true, true
	}
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !needed[f.Name()] {
			t.Errorf("testdata/golden/%s belongs to no test", f.Name())
		}
	}
}
