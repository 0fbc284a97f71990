package score

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// most is how many lines of one kind a table shows.
const most = 50

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "events      %d\n", r.Events)
	fmt.Fprintf(&b, "recall      %.4f  (%d of %d expected alarms in time, %d late)\n", r.Recall, r.Met, r.Expected, r.Late)
	fmt.Fprintf(&b, "precision   %.4f  (%d of %d alarms expected or allowed)\n", r.Precision, r.True, r.Alarms)
	fmt.Fprintf(&b, "delay       p50 %s, p99 %s, max %s\n", seconds(r.DelayP50S), seconds(r.DelayP99S), seconds(r.DelayMaxS))
	fmt.Fprintf(&b, "forbidden   %d\nmissed      %d\nfalse       %d\n", len(r.Forbidden), len(r.Missed), len(r.False))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	r.rows(t)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write score: %w", err)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write score: %w", err)
	}
	return nil
}

func (r *Report) rows(t io.Writer) {
	title := func(n int, text string) bool {
		if n > 0 {
			fmt.Fprintf(t, "\n%s\n", text)
		}
		return n > 0
	}
	if title(len(r.Missed), "missed") {
		for _, m := range first(r.Missed) {
			came := "never"
			if m.AfterS > 0 {
				came = "after " + seconds(m.AfterS)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\twithin %s\t%s\n", clock(m.Start), m.Cause, m.ID, m.Object, seconds(m.WithinS), came)
		}
	}
	if title(len(r.Forbidden), "forbidden") {
		for _, a := range first(r.Forbidden) {
			fmt.Fprintf(t, "%s\t%s\t%s\tby %s\n", clock(a.Time), a.ID, a.Object, a.Cause)
		}
	}
	if title(len(r.False), "false") {
		for _, a := range first(r.False) {
			fmt.Fprintf(t, "%s\t%s\t%s\n", clock(a.Time), a.ID, a.Object)
		}
	}
	if title(len(r.Managers), "person\tnotices\tfirst hour\tbusiest hour\ttypes") {
		for _, m := range r.Managers {
			var types []string
			for _, name := range slices.Sorted(maps.Keys(m.Types)) {
				types = append(types, fmt.Sprintf("%s %d", name, m.Types[name]))
			}
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\n", m.Person, m.Notices, m.FirstHour, m.BusiestHour, strings.Join(types, ", "))
		}
	}
}

func first[T any](list []T) []T { return list[:min(most, len(list))] }

func clock(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

func seconds(s float64) string {
	return (time.Duration(s*1000) * time.Millisecond).Round(time.Second).String()
}
