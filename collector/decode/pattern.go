package decode

import (
	"errors"
	"fmt"
	"strings"
)

// pattern is a topic filter with captures.
type pattern struct {
	filter string         // as a broker understands it
	names  map[int]string // of the levels that are captured; the last may stand for several
	rest   int            // the level from which # begins; -1: none
}

func newPattern(topic string) pattern {
	p := pattern{names: make(map[int]string), rest: -1}
	levels := strings.Split(topic, "/")
	for i, level := range levels {
		if name, ok := captureName(level); ok {
			levels[i] = "+"
			if cut, many := strings.CutSuffix(name, "#"); many {
				levels[i], name = "#", cut
			}
			p.names[i] = name
		}
		if levels[i] == "#" {
			p.rest = i
		}
	}
	p.filter = strings.Join(levels, "/")
	return p
}

// captureName returns what stands between braces.
func captureName(level string) (string, bool) {
	if len(level) > 2 && level[0] == '{' && level[len(level)-1] == '}' {
		return level[1 : len(level)-1], true
	}
	return "", false
}

func (p pattern) captures(name string) bool {
	for _, n := range p.names {
		if n == name {
			return true
		}
	}
	return false
}

// capture returns what the captures stand for in a topic that matches.
func (p pattern) capture(levels []string) map[string]string {
	found := make(map[string]string, len(p.names))
	for i, name := range p.names {
		switch {
		case i >= len(levels):
			found[name] = ""
		case i == p.rest:
			found[name] = strings.Join(levels[i:], "/")
		default:
			found[name] = levels[i]
		}
	}
	return found
}

// checkTopic tells whether a source's topic is a legal filter with legal
// captures.
func checkTopic(topic string) error {
	seen := make(map[string]bool)
	for level := range strings.SplitSeq(topic, "/") {
		name, ok := captureName(level)
		name = strings.TrimSuffix(name, "#")
		switch {
		case !ok && strings.ContainsAny(level, "{}"):
			return fmt.Errorf("filter %q: a capture must fill a whole level, such as {meter}", topic)
		case !ok:
			continue
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" || name == "":
			return fmt.Errorf("filter %q: the capture %s needs a name of small letters", topic, level)
		case seen[name]:
			return fmt.Errorf("filter %q captures {%s} twice", topic, name)
		}
		seen[name] = true
	}
	return checkFilter(newPattern(topic).filter)
}

// template is a text with captures in it: texts and names in turn.
type template []string

var errOpenBrace = errors.New("a { without its }")

// newTemplate parses text; known tells which captures there are.
func newTemplate(text string, known func(string) bool) (template, error) {
	var t template
	for {
		before, after, found := strings.Cut(text, "{")
		t = append(t, before)
		if !found {
			return t, nil
		}
		name, rest, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			return nil, errOpenBrace
		case !known(name):
			return nil, fmt.Errorf("{%s} is captured by no topic of this source, or not by all", name)
		}
		t, text = append(t, name), rest
	}
}

// uses tells whether the capture is in the template.
func (t template) uses(name string) bool {
	for i := 1; i < len(t); i += 2 {
		if t[i] == name {
			return true
		}
	}
	return false
}

// fill puts values in.
func (t template) fill(value func(name string) string) string {
	var b strings.Builder
	for i, part := range t {
		if i%2 == 1 {
			part = value(part)
		}
		b.WriteString(part)
	}
	return b.String()
}
