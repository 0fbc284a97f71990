// Command scenarios plays scenarios on many seeds through alerting and prints
// how it did: a row a scenario, and what went wrong, seed by seed. It exits
// with 1 below a recall of 99 % or a precision of 98 %.
//
//	scenarios [flags] [FILE.yaml or NAME …]
//
// Without arguments it plays those that ship.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/cmd/imdad/internal/judge"
	"github.com/imdad-telemetry/imdad/configs"
)

// What alerting must reach over all plays.
const (
	leastRecall    = 0.99
	leastPrecision = 0.98
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	seeds := flag.Int("seeds", 20, "how many seeds, besides the scenario's own")
	first := flag.Int64("first", 1001, "the first of them")
	only := flag.String("only", "*", "pattern of the scenarios to play, such as 03-*")
	except := flag.String("except", "07-slow-leak", "pattern of those to leave out: this one lasts for weeks")
	every := flag.Duration("every", 5*time.Second, "simulated time between two evaluations")
	out := flag.String("out", "", "folder for what each play left: NAME-SEED.journal.jsonl, .notices.jsonl and .events.jsonl")
	flag.Parse()
	names := flag.Args()
	if len(names) == 0 {
		var err error
		if names, err = shipped(*only, *except); err != nil {
			fmt.Fprintln(os.Stderr, "scenarios:", err)
			return 2
		}
	}
	t, err := playAll(ctx, names, *first, *seeds, conditions{every: *every, out: *out})
	if err != nil {
		fmt.Fprintln(os.Stderr, "scenarios:", err)
		return 1
	}
	return t.print(os.Stdout)
}

// shipped are the names that one pattern fits and the other does not.
func shipped(only, except string) ([]string, error) {
	var names []string
	for _, name := range configs.ShippedScenarios() {
		in, err := path.Match(only, name)
		out, exceptErr := path.Match(except, name)
		if err = errors.Join(err, exceptErr); err != nil {
			return nil, err
		}
		if in && !out {
			names = append(names, name)
		}
	}
	return names, nil
}

// played is one verdict.
type played struct {
	name string
	seed int64
	judge.Verdict
}

type table []played

// conditions are the same for all plays.
type conditions struct {
	people notify.Config
	every  time.Duration
	out    string // folder for what a play leaves; empty: none
}

// playAll plays every scenario at its own seed (0) and at the others, on all
// cores.
func playAll(ctx context.Context, names []string, first int64, seeds int, c conditions) (table, error) {
	c.people = notify.DefaultConfig()
	if err := configs.LoadShippedPeople(&c.people); err != nil {
		return nil, err
	}
	all := make(table, 0, len(names)*(seeds+1))
	for _, name := range names {
		all = append(all, played{name: name})
		for i := range seeds {
			all = append(all, played{name: name, seed: first + int64(i)})
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range all {
		g.Go(func() error { return all[i].play(ctx, c) })
	}
	return all, g.Wait()
}

func (p *played) play(ctx context.Context, c conditions) (err error) {
	dir, err := os.MkdirTemp("", "imdad-scenario-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // in the folder for such things
	plan, err := judge.Prepare(p.name, p.seed)
	if err != nil {
		return err
	}
	p.Verdict, err = judge.Judge(ctx, judge.Options{
		Plan: plan, Dir: dir, Rules: rule.DefaultConfig(), People: c.people, Every: c.every, Log: zerolog.Nop(),
	})
	if err != nil {
		return fmt.Errorf("%s, seed %d: %w", p.name, p.seed, err)
	}
	if c.out != "" {
		err = p.keep(c.out)
	}
	p.Journal, p.Notices = nil, nil // a thousand plays' are not needed
	return err
}

// keep writes what the play left, as `metersim score` takes it.
func (p *played) keep(dir string) error {
	base := path.Join(dir, fmt.Sprintf("%s-%d", strings.TrimSuffix(path.Base(p.name), path.Ext(p.name)), p.seed))
	return errors.Join(
		writeLines(base+".events.jsonl", p.Truth),
		writeLines(base+".journal.jsonl", p.Journal),
		writeLines(base+".notices.jsonl", p.Notices),
	)
}

// writeLines writes each value as a line of JSON.
func writeLines[T any](name string, values []T) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range values {
		if err := enc.Encode(&values[i]); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return os.WriteFile(name, b.Bytes(), 0o600)
}

// sum is a row.
type sum struct {
	plays, expected, met, alarms, right, forbidden, notices int
	slowest                                                 float64
}

func (s *sum) add(p *played) {
	s.plays++
	s.expected += p.Expected
	s.met += p.Met
	s.alarms += p.Alarms
	s.right += p.True
	s.forbidden += len(p.Forbidden)
	s.slowest = max(s.slowest, p.DelayMaxS)
	for _, m := range p.Managers {
		s.notices = max(s.notices, m.BusiestHour)
	}
}

func (s *sum) recall() float64    { return share(s.met, s.expected) }
func (s *sum) precision() float64 { return share(s.right, s.alarms) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

func (t table) print(w io.Writer) int {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(rows, "scenario\tplays\texpected\tmet\trecall\talarms\ttrue\tprecision\tforbidden\tslowest s\tnotices/h, most\t")
	var total sum
	for i := 0; i < len(t); {
		var s sum
		name := t[i].name
		for ; i < len(t) && t[i].name == name; i++ {
			s.add(&t[i])
			total.add(&t[i])
		}
		s.row(rows, name)
	}
	total.row(rows, "all")
	_ = rows.Flush() // to the terminal
	for i := range t {
		t[i].complain(w)
	}
	if total.recall() < leastRecall || total.precision() < leastPrecision {
		fmt.Fprintf(w, "recall %.2f %% of at least %.0f %%, precision %.2f %% of at least %.0f %%: not enough\n",
			100*total.recall(), 100*leastRecall, 100*total.precision(), 100*leastPrecision)
		return 1
	}
	return 0
}

func (s *sum) row(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.2f %%\t%d\t%d\t%.2f %%\t%d\t%.0f\t%d\t\n", name, s.plays, s.expected, s.met, 100*s.recall(),
		s.alarms, s.right, 100*s.precision(), s.forbidden, s.slowest, s.notices)
}

// complain lists what went wrong in one play.
func (p *played) complain(w io.Writer) {
	say := func(format string, args ...any) {
		fmt.Fprintf(w, "%s, seed %d: %s\n", p.name, p.seed, fmt.Sprintf(format, args...))
	}
	for _, m := range p.Missed {
		say("missed %s of %s within %.0f s of %s (%s); came after %.0f s", m.ID, m.Object, m.WithinS, m.Start.Format("15:04:05"), m.Cause, m.AfterS)
	}
	for _, a := range slices.Concat(p.Forbidden, p.False) {
		say("wrong %s of %s at %s %s", a.ID, a.Object, a.Time.In(p.Truth[0].Start.Location()).Format("02 15:04:05"), a.Cause)
	}
}
