// Command metersim plays the meters of a city against any MQTT broker.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/imdad-telemetry/imdad/cmd/internal/cli"
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
and seasons, networks whose losses add up, tanks that empty and are filled. Every meter publishes at its interval, in
the format of a device as one can buy it: Sparkplug B nodes with births and deaths, Tasmota, Shelly, M-Bus, Zigbee,
SenML, ThingsBoard, LoRaWAN, DSMR, Victron and others, and Imdad's own JSON. The same --seed and --clock-start give the
same readings.

Examples:
  # 400 meters of Sheikh Najjar in every format, each at its interval, until Ctrl-C. sources.yaml has
  # what reads them: append it to imdad.yaml, which has cities/sheikh-najjar.yaml of configs/, and start imdad run
  metersim --broker tcp://127.0.0.1:1883 --sources sources.yaml
  # the same in Imdad's own format alone, imdad/v1/{zone}/{utility}/{meter}, which needs no sources
  metersim --broker tcp://127.0.0.1:1883 --profiles imdad
  # what is behind Sparkplug nodes and Shelly meters; what neither suits speaks natively
  metersim --broker tcp://127.0.0.1:1883 --profiles sparkplug-b,shelly --sources sources.yaml
  # a summer day in under two and a half minutes
  metersim --broker tcp://127.0.0.1:1883 --clock-start 2026-07-20T00:00:00+03:00 --speed 600 --for 144s
  # every meter each second, and what was published in a file
  metersim --broker tcp://127.0.0.1:1883 --interval 1s --for 30s --truth truth.jsonl
  # a load test
  metersim --broker tcp://127.0.0.1:1883 --meters 10000 --rate 50000 --messages 1000000
  # a day in which things go wrong, an hour in a minute, and what the alarms must make of it
  metersim --broker tcp://127.0.0.1:1883 --scenario demo-day --speed 60 --registry city.yaml --events events.jsonl
  # the same for a play of your own; configs/scenarios/README.md tells how to write one
  metersim --broker tcp://127.0.0.1:1883 --scenario my-play.yaml --speed 60 --registry city.yaml --events events.jsonl
  # a city of your own at a broker with a password
  METERSIM_PASSWORD=secret metersim --broker ssl://mqtt.example.org:8883 --username lab --fleet city.yaml

Other commands, each with its own --help:
  metersim scenarios                                             the plays that ship with it
  metersim score --events events.jsonl --journal journal.jsonl   hold an alarm journal against what was played

The summary goes to standard output, progress to standard error. The exit code is 0 if the broker acknowledged
everything, 1 if not, 2 for a wrong command line.`

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "score" {
		return executeScore(args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "scenarios" {
		return executeScenarios(args[1:], stdout, stderr)
	}
	var c command
	program := cli.Program{Name: "metersim", Description: description, Grammar: &c, Stdout: stdout, Stderr: stderr}
	if parsed, code := program.Parse(args); parsed == nil {
		return code
	}
	if err := c.run(ctx, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "metersim:", err)
		return 1
	}
	return 0
}
