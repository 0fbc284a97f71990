package configs

import (
	"strconv"
	"strings"
)

// step is one part of a path: a key, or an index into a list.
type step struct {
	key   string
	index int // with an empty key
}

// splitPath takes "a.b[0].c" apart; ok is false if text is no path.
func splitPath(text string) (steps []step, ok bool) {
	for rest := text; rest != ""; {
		if rest[0] == '[' {
			digits, after, closed := strings.Cut(rest[1:], "]")
			i, err := strconv.Atoi(digits)
			if !closed || err != nil || i < 0 {
				return nil, false
			}
			steps, rest = append(steps, step{index: i}), after
			continue
		}
		if len(steps) > 0 {
			if rest[0] != '.' {
				return nil, false
			}
			rest = rest[1:]
		}
		n := strings.IndexAny(rest, ".[")
		if n < 0 {
			n = len(rest)
		}
		if n == 0 || strings.ContainsAny(rest[:n], " \t\"'(),") {
			return nil, false
		}
		steps, rest = append(steps, step{key: rest[:n]}), rest[n:]
	}
	return steps, len(steps) > 0
}

// find walks the tree along path as far as it goes; ok tells whether that was
// all the way.
func (d *Document) find(path string) (at Position, ok bool) {
	steps, ok := splitPath(path)
	if !ok {
		return d.root.at, false
	}
	n, at := d.root, d.root.at
	for _, s := range steps {
		if n == nil {
			return at, false
		}
		if s.key != "" {
			k, ok := n.get(s.key)
			if !ok {
				return at, false
			}
			n, at = k.value, k.at
			continue
		}
		if s.index >= len(n.items) {
			return at, false
		}
		if n = n.items[s.index]; n != nil {
			at = n.at
		}
	}
	return at, true
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func joinIndex(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}
