package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imdad-telemetry/imdad/cmd/internal/cli"
	"github.com/imdad-telemetry/imdad/collector/metersim"
	"github.com/imdad-telemetry/imdad/configs"
)

const scenariosDescription = `Lists the scenarios that ship with metersim: name, length, and what happens. Play one with
metersim --broker URL --scenario NAME; configs/scenarios/README.md tells how to write one.`

type scenariosCommand struct {
	Causes bool `help:"List the kinds of causes that a scenario file may use instead."`
}

func executeScenarios(args []string, stdout, stderr io.Writer) int {
	var c scenariosCommand
	program := cli.Program{Name: "metersim scenarios", Description: scenariosDescription, Grammar: &c, Stdout: stdout, Stderr: stderr}
	if parsed, code := program.Parse(args); parsed == nil {
		return code
	}
	if err := c.run(stdout); err != nil {
		fmt.Fprintln(stderr, "metersim scenarios:", err)
		return 1
	}
	return 0
}

func (c *scenariosCommand) run(stdout io.Writer) error {
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	if c.Causes {
		for _, k := range metersim.CauseKinds() {
			fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, strings.Join(k.On, ", "), strings.Join(k.Parameters, ", "))
		}
		return t.Flush()
	}
	for _, name := range configs.ShippedScenarios() {
		var s metersim.Scenario
		if _, err := configs.LoadScenario(name, &s); err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, hours(s.Duration), s.Title)
	}
	return t.Flush()
}

// hours writes a duration without the zeros at its end.
func hours(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}
