package dress

import "strconv"

// object builds JSON in the order in which a device writes it.
type object struct{ buf []byte }

// key begins a member, or an element when name is empty.
func (o *object) key(name string) {
	if n := len(o.buf); n > 0 && o.buf[n-1] != '{' && o.buf[n-1] != '[' {
		o.buf = append(o.buf, ',')
	}
	if name != "" {
		o.buf = append(strconv.AppendQuote(o.buf, name), ':')
	}
}

// raw adds a value that is JSON already, such as a number.
func (o *object) raw(name, text string) {
	o.key(name)
	o.buf = append(o.buf, text...)
}

// str adds a text of plain characters.
func (o *object) str(name, text string) {
	o.key(name)
	o.buf = strconv.AppendQuote(o.buf, text)
}

func (o *object) int(name string, n int64) { o.raw(name, strconv.FormatInt(n, 10)) }

// open begins an object or array; close ends it.
func (o *object) open(name string, bracket byte) {
	o.key(name)
	o.buf = append(o.buf, bracket)
}

func (o *object) close(bracket byte) { o.buf = append(o.buf, bracket) }

// put adds the fields of a reading, and to values what they say.
func (o *object) put(fields []field, from, values map[string]float64) {
	for _, f := range has(fields, from) {
		text, x := f.text(from[f.register])
		o.raw(f.key, text)
		values[f.register] = x
	}
}

// list adds an array of three numbers, and to values what they say.
func (o *object) list(name string, x [3]float64, f field, stem, unit string, values map[string]float64) {
	o.open(name, '[')
	for n, l := range phases {
		text, seen := f.text(x[n])
		o.raw("", text)
		values[stem+"_"+l+unit] = seen
	}
	o.close(']')
}
