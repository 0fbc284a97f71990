package score

import (
	"slices"
	"strings"
	"time"
)

// Manager is what one person was told.
type Manager struct {
	Person  string `json:"person"`
	Notices int    `json:"notices"`
	// FirstHour are the notices in the hour from the first event's start, and
	// BusiestHour those in the worst hour of all.
	FirstHour   int            `json:"first_hour"`
	BusiestHour int            `json:"busiest_hour"`
	Types       map[string]int `json:"types"`
}

// managers counts the notices of each person. One that goes out through several
// channels at once counts once.
func managers(events []Event, notices []Notice) []Manager {
	start := time.Time{}
	for _, e := range events {
		if start.IsZero() || e.Start.Before(start) {
			start = e.Start
		}
	}
	times := make(map[string][]time.Time)
	types := make(map[string]map[string]int)
	seen := make(map[string]bool)
	for _, n := range notices {
		same := n.Person + "\x00" + n.Time.UTC().Format(time.RFC3339Nano) + "\x00" + n.Type + "\x00" + strings.Join(n.Alarms, "\x00")
		if seen[same] {
			continue
		}
		seen[same] = true
		times[n.Person] = append(times[n.Person], n.Time)
		if types[n.Person] == nil {
			types[n.Person] = make(map[string]int)
		}
		types[n.Person][n.Type]++
	}
	list := make([]Manager, 0, len(times))
	for person, at := range times {
		slices.SortFunc(at, time.Time.Compare)
		m := Manager{Person: person, Notices: len(at), Types: types[person]}
		first := 0
		for last, t := range at {
			if !t.Before(start) && t.Before(start.Add(time.Hour)) {
				m.FirstHour++
			}
			for t.Sub(at[first]) >= time.Hour {
				first++
			}
			m.BusiestHour = max(m.BusiestHour, last-first+1)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Manager) int { return strings.Compare(a.Person, b.Person) })
	return list
}
