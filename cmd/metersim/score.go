package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/cmd/internal/cli"
	"github.com/imdad-telemetry/imdad/collector/metersim/score"
)

const scoreDescription = `Holds an alarm journal against the events that a scenario wrote: which expected alarms came, how soon, and which
came that should not have. configs/scenarios/README.md tells how they are counted.

Examples:
  metersim score --events events.jsonl --journal journal.jsonl
  metersim score --events events.jsonl --journal journal.jsonl --notices notices.jsonl --json

The journal is one transition of an alarm a line, with seq, time, event, to and alarm{kind, object}, or pages of it as
GET /api/v1/journal gives them; the notices are one a line with time, person, channel, type and alarms. The exit code is
0 if every expected alarm came in time and no forbidden one, and precision and recall are what is asked for; 1 if not;
2 for a wrong command line.`

// errScore makes the exit code tell what the table says.
var errScore = errors.New("the alarms are not what the events ask for")

type scoreCommand struct {
	Events    string    `required:"" type:"path" placeholder:"FILE" help:"What happened: the file that metersim --events wrote."`
	Journal   string    `required:"" type:"path" placeholder:"FILE" help:"The transitions of the alarms, as JSON lines."`
	Until     time.Time `placeholder:"T" help:"The end of the play, as RFC 3339: later transitions are left out, since the meters are silent then (default: none are)."`
	Notices   string    `type:"path" placeholder:"FILE" help:"The notices that went out, as JSON lines; counted for each person."`
	JSON      bool      `help:"Write the report as one JSON object."`
	Precision float64   `default:"0" placeholder:"P" help:"Fail below this precision, 0 to 1 (default: 0)."`
	Recall    float64   `default:"0" placeholder:"R" help:"Fail below this recall, 0 to 1 (default: 0). Whatever it is, what is missed fails unless it is given."`
}

func executeScore(args []string, stdout, stderr io.Writer) int {
	var c scoreCommand
	program := cli.Program{Name: "metersim score", Description: scoreDescription, Grammar: &c, Stdout: stdout, Stderr: stderr}
	if parsed, code := program.Parse(args); parsed == nil {
		return code
	}
	if err := c.run(stdout); err != nil {
		fmt.Fprintln(stderr, "metersim score:", err)
		return 1
	}
	return 0
}

func (c *scoreCommand) run(stdout io.Writer) error {
	events, err := readLines[score.Event](c.Events)
	if err != nil {
		return err
	}
	journal, err := readLines[score.Transition](c.Journal)
	if err != nil {
		return err
	}
	if !c.Until.IsZero() {
		journal = slices.DeleteFunc(journal, func(t score.Transition) bool { return t.Time.After(c.Until) })
	}
	var notices []score.Notice
	if c.Notices != "" {
		if notices, err = readLines[score.Notice](c.Notices); err != nil {
			return err
		}
	}
	report := score.Score(events, journal, notices)
	if c.JSON {
		out := json.NewEncoder(stdout)
		out.SetIndent("", "  ")
		err = out.Encode(report)
	} else {
		err = report.WriteTable(stdout)
	}
	if err != nil {
		return fmt.Errorf("write score: %w", err)
	}
	enough := len(report.Missed) == 0
	if c.Recall > 0 {
		enough = report.Recall >= c.Recall
	}
	if !enough || len(report.Forbidden) > 0 || report.Precision < c.Precision {
		return errScore
	}
	return nil
}

func readLines[T any](path string) (list []T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	list, err = score.Read[T](f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}
