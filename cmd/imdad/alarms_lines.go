package main

import (
	"fmt"
	"net/http"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/console"
)

// linesFlags say from where on lines are wanted.
type linesFlags struct {
	apiFlags
	After int64 `default:"0" placeholder:"N" help:"Only lines after this number (default: 0, all that are kept)."`
}

// linesAtOnce is how many lines are asked for in one request.
const linesAtOnce = 1000

type alarmsJournal struct{ linesFlags }

// Help is shown by imdad alarms journal --help.
func (alarmsJournal) Help() string {
	return `One JSON object a line: seq, time, event, from, to, by, via, reason, and the alarm after it. metersim score --journal reads them.`
}

func (j *alarmsJournal) Run(e *env) error {
	return printLines(e, j.linesFlags, "/api/v1/journal", func(t alarm.Transition) int64 { return t.Seq })
}

type alarmsNotices struct{ linesFlags }

// Help is shown by imdad alarms notices --help.
func (alarmsNotices) Help() string {
	return `One JSON object a line: whom, over which channel, about which alarms, and what became of it. metersim score --notices reads them.`
}

func (n *alarmsNotices) Run(e *env) error {
	return printLines(e, n.linesFlags, "/api/v1/notices", func(n console.Notice) int64 { return n.ID })
}

// printLines prints page after page.
func printLines[T any](e *env, f linesFlags, path string, number func(T) int64) error {
	for {
		var page []T
		if err := f.call(e.ctx, http.MethodGet, fmt.Sprintf("%s?after=%d&limit=%d", path, f.After, linesAtOnce), nil, &page); err != nil {
			return err
		}
		for _, line := range page {
			if err := printJSON(e.stdout, line); err != nil {
				return err
			}
			f.After = number(line)
		}
		if len(page) < linesAtOnce {
			return nil
		}
	}
}
