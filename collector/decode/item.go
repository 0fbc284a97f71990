package decode

import "strings"

// keep remembers the key that a * of the mapping stands for, on the way to a
// reading.
func (r *reader) keep(key []byte, depth int) {
	if m := r.source.mapping; m != nil && !r.open && depth < len(m.each) && m.each[depth] == "*" {
		r.key = key
	}
}

// enterBranch chooses the fields of the reading that begins: where the mapping
// says something of some of the readings only, one path means different things
// in them, and so it does where each is a value with a name.
func (r *reader) enterBranch() {
	m := r.source.mapping
	if m == nil || len(m.branches) == 0 && !m.oneValueEach() {
		return
	}
	r.item = strings.Split(string(r.path), string(pathMark))
	on := make([]byte, len(m.branches))
	for i, b := range m.branches {
		on[i] = '0'
		if fits(b, r.item) {
			on[i] = '1'
		}
	}
	if m.oneValueEach() {
		on = append(on, r.path...)
	}
	fields, ok := r.branches[string(on)]
	if !ok {
		fields = make(map[string]*field)
		r.branches[string(on)] = fields
	}
	r.fields = fields
}

// name returns what stands in the place of a key or index: the name of the
// object that comes, where the mapping has names; else nothing. The object is read
// twice.
func (r *reader) name(s *scanner, depth int) []byte {
	m := r.source.mapping
	if m == nil || len(m.name) != depth+2 || s.peek() != '{' {
		return nil
	}
	if depth > 0 && !fits(m.name[:depth], strings.Split(strings.Trim(string(r.path), string(pathMark)), string(pathMark))) {
		return nil
	}
	ahead := scanner{data: s.data, pos: s.pos + 1}
	for first := true; ; first = false {
		key, end, reject := ahead.key(first)
		if reject != nil || end {
			return nil // what is wrong is found again
		}
		if string(key) == m.name[depth+1] {
			return ahead.nameText()
		}
		if ahead.skip(depth+1) != nil {
			return nil
		}
	}
}

// nameText reads a text or a number as a name; nil if it is neither.
func (s *scanner) nameText() []byte {
	if s.peek() == '"' {
		text, _ := s.str()
		return text
	}
	text, _ := s.numberText()
	return text
}
