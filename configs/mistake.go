package configs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file: Line and Column count from 1, columns in
// characters. Line 0 means the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns file:line:column, or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Mistake is one thing wrong in a file and, where one is known, its remedy.
type Mistake struct {
	Position
	Message string
}

// String returns "file:line:column: message".
func (m Mistake) String() string { return m.Position.String() + ": " + m.Message }

// Mistakes is everything wrong in a file, or in several, in the order of file,
// line and column. It is the error that Load and LoadRegistry return.
type Mistakes []Mistake

// Error returns one mistake a line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// err returns ms sorted and without repetitions, or nil if there are none.
func (ms Mistakes) err() error {
	if len(ms) == 0 {
		return nil
	}
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(ms)
}

// Join is errors.Join for what Load and LoadRegistry return: all mistakes come
// in one order.
func Join(errs ...error) error {
	var all Mistakes
	var others []error
	for _, err := range errs {
		var ms Mistakes
		if errors.As(err, &ms) {
			all = append(all, ms...)
		} else {
			others = append(others, err)
		}
	}
	return errors.Join(append([]error{all.err()}, others...)...)
}

// mistakeIn is a mistake that concerns a file as a whole.
func mistakeIn(file, format string, args ...any) Mistake {
	return Mistake{Position{File: file}, fmt.Sprintf(format, args...)}
}
