package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// verdict is a figure that has a target.
type verdict struct {
	what    string
	value   float64
	limit   float64
	atLeast bool // otherwise at most
	unit    string
}

func (v verdict) ok() bool {
	if v.atLeast {
		return v.value >= v.limit
	}
	return v.value <= v.limit
}

func (b *bench) atLeast(what string, value, limit float64, unit string) {
	b.verdicts = append(b.verdicts, verdict{what, value, limit, true, unit})
}

func (b *bench) atMost(what string, value, limit float64, unit string) {
	b.verdicts = append(b.verdicts, verdict{what, value, limit, false, unit})
}

// summary prints all verdicts and returns how many targets were missed.
func (b *bench) summary() (missed int) {
	b.title("Targets")
	t := tabwriter.NewWriter(b.out, 2, 0, 2, ' ', 0)
	for _, v := range b.verdicts {
		sign, word := "≤", "ok"
		if v.atLeast {
			sign = "≥"
		}
		if !v.ok() {
			word = "MISS"
			missed++
		}
		fmt.Fprintf(t, "  %s\t%s %s\t%s %s\t%s\n", v.what, figure(v.value), v.unit, sign, figure(v.limit), word)
	}
	_ = t.Flush() // like everything printed here
	return missed
}

func (b *bench) title(format string, args ...any) {
	fmt.Fprintf(b.out, "\n"+format+"\n", args...)
}

// columns is a table that shows each row at once, as wide as its head.
type columns struct {
	out  io.Writer
	head []string
}

// table prints the head of a table.
func (b *bench) table(head ...string) columns {
	fmt.Fprintf(b.out, "  %s\n", strings.Join(head, "  "))
	return columns{b.out, head}
}

// row prints values below their heads, to the right.
func (c columns) row(values ...any) {
	for i, v := range values {
		text := fmt.Sprint(v)
		if f, ok := v.(float64); ok {
			text = figure(f)
		}
		fmt.Fprintf(c.out, "  %*s", utf8.RuneCountInString(c.head[i]), text)
	}
	fmt.Fprintln(c.out)
}

// figure shows a number with about three digits that count.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// median returns the middle of f over all: the mean of the two middle values of an even number.
func median[T any](all []T, f func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, v := range all {
		values[i] = f(v)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
