// Command metersim plays the meters of a city against any MQTT broker.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() { os.Exit(run()) }

// run returns the exit code: 0, 1 for a failure or messages that the broker did
// not acknowledge, 2 for a wrong command line.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first signal a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

const description = `Plays the electricity, water and fuel meters of an industrial city: load shapes by sector, working week, Ramadan
and seasons, networks whose losses add up, tanks that empty and are filled. Every meter publishes JSON to
imdad/v1/{zone}/{utility}/{meter} at its interval. The same --seed and --clock-start give the same readings.

Examples:
  # 400 meters of Sheikh Najjar, each at its interval, until Ctrl-C
  metersim --broker tcp://127.0.0.1:1883
  # a summer day in under two and a half minutes
  metersim --broker tcp://127.0.0.1:1883 --clock-start 2026-07-20T00:00:00+03:00 --speed 600 --for 144s
  # every meter each second, and what was published in a file
  metersim --broker tcp://127.0.0.1:1883 --interval 1s --for 30s --truth truth.jsonl
  # a load test
  metersim --broker tcp://127.0.0.1:1883 --meters 10000 --rate 50000 --messages 1000000
  # a city of your own at a broker with a password
  METERSIM_PASSWORD=secret metersim --broker ssl://mqtt.example.org:8883 --username lab --fleet city.yaml

The summary goes to standard output, progress to standard error. The exit code is 0 if the broker acknowledged
everything, 1 if not, 2 for a wrong command line.`

// exit carries the code of --help out of the parser, which would otherwise end
// the process.
type exit int

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()
	var c command
	parser, err := kong.New(&c, kong.Name("metersim"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exit(code)) }))
	if err != nil {
		fmt.Fprintln(stderr, "metersim:", err)
		return 1
	}
	if _, err := parser.Parse(args); err != nil {
		fmt.Fprintf(stderr, "metersim: %v\nTry: metersim --help\n", err)
		return 2
	}
	if err := c.run(ctx, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "metersim:", err)
		return 1
	}
	return 0
}
