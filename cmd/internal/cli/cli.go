// Package cli is what the programs' command lines have in common.
package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Program is one program's command line.
type Program struct {
	Name, Description string
	Grammar           any // a pointer to a struct with kong's tags
	Stdout, Stderr    io.Writer
}

// exit carries the code of --help out of the parser, which would otherwise end
// the process.
type exit int

// Parse reads args into the grammar. A nil command means that there is nothing
// to run, since help was asked for or the command line is wrong, which has been
// said; the program then ends with the code.
func (p Program) Parse(args []string) (command *kong.Context, code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			command, code = nil, int(r)
		default:
			panic(r)
		}
	}()
	parser, err := kong.New(p.Grammar, kong.Name(p.Name), kong.Description(p.Description),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { panic(exit(code)) }))
	if err != nil {
		panic(fmt.Sprintf("the command line's definition is wrong: %v", err))
	}
	command, err = parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.Stderr, "%s: %v\nTry: %s --help\n", p.Name, err, p.understood(err))
		return nil, 2
	}
	return command, 0
}

// understood returns as much of the command as made sense.
func (p Program) understood(err error) string {
	name := p.Name
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		for _, step := range wrong.Context.Path {
			if step.Command != nil {
				name += " " + step.Command.Name
			}
		}
	}
	return name
}
