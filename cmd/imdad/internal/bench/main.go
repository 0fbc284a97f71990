package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit code: 0, 1 for a failure or a target that was missed, 2 for a wrong command line.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if len(args) > 0 && roles[args[0]] != nil {
		if err := roles[args[0]](ctx, args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", args[0], err)
			return 1
		}
		return 0
	}
	o, err := parseOptions(args, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	return benchmark(ctx, o)
}

// roles are what the bench's own children do.
var roles = map[string]func(ctx context.Context, args []string) error{
	"bare": runBare, // takes messages and counts them
	"sink": runSink, // takes lines and counts them
	"post": runPost, // posts recorded batches
}

// parts in the order in which they run.
var parts = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"speed", (*bench).speed},
	{"influx", (*bench).influx},
	{"scrape", (*bench).scrape},
	{"memory", (*bench).memory},
	{"growth", (*bench).growth},
	{"cycle", (*bench).cycle},
	{"latency", (*bench).latency},
	{"outage", (*bench).outage},
}

type options struct {
	only           []string
	pairs          int
	messages       int64 // in a prefilled session
	meters         int   // that publish them
	many           int   // meters of the part memory, and registers of the part scrape
	alarms         int   // of the part latency
	outageReadings int64 // spooled while the database is down
	liveRate       float64
	dir            string
	imdad          string // the service's binary; empty: built from this checkout
	judge          bool
	keep           bool
}

func parseOptions(args []string, out io.Writer) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	var o options
	var only string
	var quick, noJudge bool
	flags.StringVar(&only, "only", "", "parts to run, comma-separated (default: all)")
	flags.IntVar(&o.pairs, "pairs", 5, "alternated pairs of a comparison")
	flags.Int64Var(&o.messages, "messages", 300_000, "messages in a prefilled session")
	flags.IntVar(&o.meters, "meters", 10_000, "meters that publish them")
	flags.IntVar(&o.many, "many", 100_000, "meters of the part memory, registers of the part scrape")
	flags.IntVar(&o.alarms, "alarms", 300, "alarms of the part latency")
	flags.Int64Var(&o.outageReadings, "outage-readings", 10_000_000, "readings spooled while the database is down")
	flags.Float64Var(&o.liveRate, "live-rate", 20_000, "readings a second that arrive while the backlog drains")
	flags.StringVar(&o.dir, "dir", "bin", "where the folder for all data is made; must be on a real disk")
	flags.StringVar(&o.imdad, "imdad", "", "binary of the service, to compare builds (default: built from this checkout)")
	flags.BoolVar(&quick, "quick", false, "a smoke run: one pair of everything, small, not judged")
	flags.BoolVar(&noJudge, "no-judge", false, "exit 0 although targets are missed")
	flags.BoolVar(&o.keep, "keep", false, "leave the data where it is")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.judge = !quick && !noJudge
	if quick {
		o.pairs, o.messages, o.meters, o.many, o.alarms, o.outageReadings = 1, 20_000, 1_000, 10_000, 20, 200_000
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	err := o.validate()
	if err != nil {
		fmt.Fprintln(out, err)
	}
	return o, err
}

func (o *options) validate() error {
	known := make(map[string]bool)
	for _, p := range parts {
		known[p.name] = true
	}
	for _, name := range o.only {
		if !known[name] {
			return fmt.Errorf("-only: unknown part %q", name)
		}
	}
	if o.pairs < 1 || o.messages < 1 || o.meters < 1 || o.many < 1 || o.alarms < 1 || o.outageReadings < 1 || o.liveRate <= 0 {
		return errors.New("all numbers must be above 0")
	}
	return nil
}

// bench is one run.
type bench struct {
	options
	out      io.Writer
	work     string // holds everything, removed at the end
	self     string // this program, for its roles
	verdicts []verdict
	fleets   map[int]*fleet
}

func benchmark(ctx context.Context, o options) int {
	b, err := newBench(ctx, o, os.Stdout)
	if err == nil {
		err = errors.Join(b.all(ctx), b.close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	if missed := b.summary(); missed > 0 && o.judge {
		return 1
	}
	return 0
}

// newBench makes the folder and builds the service into it.
func newBench(ctx context.Context, o options, out io.Writer) (*bench, error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	if err := onDisk(dir); err != nil {
		return nil, err
	}
	b := &bench{options: o, out: out, fleets: make(map[int]*fleet)}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.work, err = os.MkdirTemp(dir, "bench-"); err != nil {
		return nil, err
	}
	if b.imdad == "" {
		b.imdad = filepath.Join(b.work, "imdad")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.imdad, "github.com/imdad-telemetry/imdad/cmd/imdad")
		if text, err := build.CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("build the service: %w\n%s", err, text), b.close())
		}
	}
	return b, nil
}

func (b *bench) close() error {
	http.DefaultClient.CloseIdleConnections()
	if b.keep {
		fmt.Fprintln(b.out, "kept:", b.work)
		return nil
	}
	return os.RemoveAll(b.work)
}

// all runs the parts that were asked for.
func (b *bench) all(ctx context.Context) error {
	for _, p := range parts {
		if len(b.only) > 0 && !slices.Contains(b.only, p.name) {
			continue
		}
		if err := p.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// folder makes a new folder for one run.
func (b *bench) folder(name string) (string, error) { return os.MkdirTemp(b.work, name+"-") }
