package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/zone/spelling"
)

// decoder fills Go values from nodes. It goes on after a mistake, so that one
// run finds all of them.
type decoder struct {
	mistakes Mistakes
	spoiled  spoiled
	plans    map[reflect.Type]*plan
}

// plan says which field of a struct takes which key.
type plan struct {
	fields map[string]int
	names  []string // sorted
}

func newDecoder() *decoder {
	return &decoder{spoiled: make(spoiled), plans: make(map[reflect.Type]*plan)}
}

// refuse reports a value at path that cannot be read.
func (d *decoder) refuse(at Position, path, format string, args ...any) {
	d.spoiled[path] = struct{}{}
	message := fmt.Sprintf(format, args...)
	if path != "" {
		message = path + ": " + message
	}
	d.mistakes = append(d.mistakes, Mistake{at, message})
}

// value decodes n into v. A nil node was refused already.
func (d *decoder) value(n *node, v reflect.Value, path string) {
	if n == nil {
		d.spoiled[path] = struct{}{}
		return
	}
	if v.Kind() == reflect.Pointer {
		if n.kind == null && v.Type().Elem().Kind() == reflect.Struct {
			return // a section without keys, which may be left out: it is
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem(), path)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, u, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// structure takes an empty value as one without keys, since that is what is
// left of a section when all its lines are commented out.
func (d *decoder) structure(n *node, v reflect.Value, path string) {
	if n.kind == null {
		return
	}
	if n.kind != mapping {
		d.refuse(n.at, path, "expected keys and values, got %s", n)
		return
	}
	p := d.plan(v.Type())
	for _, k := range n.keys {
		i, ok := p.fields[k.name]
		if !ok {
			d.unknown(k, p, path)
			continue
		}
		d.value(k.value, v.Field(i), join(path, k.name))
	}
}

func (d *decoder) unknown(k key, p *plan, path string) {
	hint := "known keys: " + strings.Join(p.names, ", ")
	if meant, ok := spelling.Nearest(k.name, p.names); ok {
		hint = fmt.Sprintf("did you mean %q?", meant)
		d.spoiled[join(path, meant)] = struct{}{}
	}
	message := fmt.Sprintf("unknown key %s; %s", excerpt(k.name), hint)
	if path != "" {
		message = path + ": " + message
	}
	d.mistakes = append(d.mistakes, Mistake{k.at, message})
}

func (d *decoder) plan(t reflect.Type) *plan {
	if p, ok := d.plans[t]; ok {
		return p
	}
	p := &plan{fields: make(map[string]int)}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			p.fields[name] = i
			p.names = append(p.names, name)
		}
	}
	slices.Sort(p.names)
	d.plans[t] = p
	return p
}

// list replaces the whole slice: half of a default list is never meant.
func (d *decoder) list(n *node, v reflect.Value, path string) {
	if n.kind != list {
		d.refuse(n.at, path, "expected a list, got %s", n)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.value(item, out.Index(i), joinIndex(path, i))
	}
	v.Set(out)
}

// mapping adds to the map's entries. Keys are strings.
func (d *decoder) mapping(n *node, v reflect.Value, path string) {
	if n.kind != mapping {
		d.refuse(n.at, path, "expected keys and values, got %s", n)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.keys))
	for it := v.MapRange(); it.Next(); {
		out.SetMapIndex(it.Key(), it.Value())
	}
	for _, k := range n.keys {
		name := reflect.ValueOf(k.name).Convert(v.Type().Key())
		elem := reflect.New(v.Type().Elem()).Elem()
		if old := out.MapIndex(name); old.IsValid() {
			elem.Set(old)
		}
		d.value(k.value, elem, join(path, k.name))
		out.SetMapIndex(name, elem)
	}
	v.Set(out)
}
