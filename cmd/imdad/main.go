// Command imdad is the service of a city office and its operator's tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/imdad-telemetry/imdad/cmd/internal/cli"
)

func main() { os.Exit(run()) }

// gcPercent trades a little CPU for memory: what lives is mostly tables that
// hardly change, and a third as much again is room enough for the stream between
// two collections. GOGC overrides it.
const gcPercent = 35

// run returns the exit code: 0, 1 for a failure, 2 for a wrong command line.
func run() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first signal a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	return execute(&env{ctx: ctx, hangup: hangup, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:])
}

// env is the world that commands run in.
type env struct {
	ctx            context.Context
	hangup         <-chan os.Signal
	stdin          io.Reader
	stdout, stderr io.Writer
}

// commands is the whole command line. Help texts are written for someone who sees
// the program for the first time.
type commands struct {
	Run        runCmd        `cmd:"" help:"Collect readings from the broker into the database until told to stop."`
	Demo       demoCmd       `cmd:"" help:"Play a simulated city on this machine: broker, database, meters and collector in one."`
	Check      checkCmd      `cmd:"" help:"Check a configuration and everything it names; print each mistake with its place."`
	Decode     decodeCmd     `cmd:"" help:"Try a payload: print the readings that would be made of it, or why it would be refused."`
	Meters     metersCmd     `cmd:"" help:"List the registered meters, bring new ones in, find unregistered ones."`
	Quarantine quarantineCmd `cmd:"" help:"Look after the messages that could not be stored."`
	Alarms     alarmsCmd     `cmd:"" help:"Look at the alarms of a running service, and act on them."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

const description = `Imdad watches the electricity, water and fuel that reach industrial cities: meters publish over MQTT,
imdad writes their readings to InfluxDB and exposes Prometheus metrics. Nothing it has acknowledged is lost.

Try it: imdad demo. Start with your own broker: imdad check --config imdad.yaml, then imdad run --config imdad.yaml.`

func execute(e *env, args []string) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	program := cli.Program{Name: "imdad", Description: description, Grammar: new(commands), Stdout: e.stdout, Stderr: e.stderr}
	command, code := program.Parse(args)
	if command == nil {
		return code
	}
	err := command.Run(e)
	var shown reported
	switch {
	case errors.As(err, &shown):
		return 1
	case err != nil:
		fmt.Fprintln(e.stderr, "imdad:", err)
		return 1
	}
	return 0
}

// reported is a failure whose explanation has already been printed.
type reported struct{ error }
