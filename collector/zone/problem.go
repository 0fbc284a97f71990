package zone

import (
	"fmt"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// Place is where something stands: a file, by its index, and a path in it such
// as "feeders[3].from".
type Place struct {
	File int
	Path string
}

// Problem is one thing wrong in the registry, with its remedy where there is
// one.
type Problem struct {
	Place
	Message string
	See     *Place // where the other half of a contradiction stands, if there is one
}

// maxHints bounds the searches for similar ids: each costs a comparison with
// every id of a kind, and a registry whose zones went missing has one problem
// a meter.
const maxHints = 200

// checker collects problems.
type checker struct {
	files    []*File
	index    map[string]entry // by id; the first of duplicates
	ids      map[Kind][]string
	holds    map[string]meter.Utility // by tank id
	room     map[string]float64       // m³, by tank id
	rules    map[string]Place         // of rationing, by id
	loads    map[string]Place         // of tankers, by id
	hints    int
	problems []Problem
}

// entry is an indexed object and where it stands.
type entry struct {
	Object
	Place
}

func (c *checker) add(at Place, format string, args ...any) {
	c.problems = append(c.problems, Problem{Place: at, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) addSee(at, see Place, format string, args ...any) {
	c.problems = append(c.problems, Problem{at, fmt.Sprintf(format, args...), &see})
}

// key is the place of a key of the object at p.
func (p Place) key(name string) Place { return Place{p.File, p.Path + "." + name} }

// suggest ends a message about an unknown word: with the nearest known one, or
// with all of them if they are few.
func (c *checker) suggest(word string, known []string) string {
	if c.hints++; c.hints > maxHints {
		return ""
	}
	if near, ok := spelling.Nearest(word, known); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) > 0 && len(known) <= 12 {
		return "; use " + either(known)
	}
	return ""
}

// either joins words with commas and a final "or".
func either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// excerpt quotes a word from a file, cut to a length that fits a message.
func excerpt[T ~string](word T) string {
	const most = 80
	if len(word) > most {
		return fmt.Sprintf("%q…", string(word[:most]))
	}
	return fmt.Sprintf("%q", string(word))
}
