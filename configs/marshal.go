package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// MarshalRegistry writes a city as the YAML that LoadRegistry reads, one object
// a line, without what is zero. LoadFiles and ShippedFile put the meters of CSV
// lists into the file, so that what is written stands for itself; LoadRegistry
// takes some 15,000 meters in YAML.
func MarshalRegistry(f *zone.File) ([]byte, error) {
	v := reflect.ValueOf(*f)
	var text strings.Builder
	for i := range v.NumField() {
		field, key := v.Field(i), yamlKey(v.Type().Field(i))
		switch {
		case field.Kind() == reflect.Slice && field.Len() > 0:
			text.WriteString(key + ":\n")
			for j := range field.Len() {
				text.WriteString("  - ")
				if err := write(&text, field.Index(j)); err != nil {
					return nil, fmt.Errorf("write registry: %s[%d]: %w", key, j, err)
				}
				text.WriteByte('\n')
			}
		case !field.IsZero():
			text.WriteString(key + ": ")
			if err := write(&text, field); err != nil {
				return nil, fmt.Errorf("write registry: %s: %w", key, err)
			}
			text.WriteByte('\n')
		}
	}
	return []byte(text.String()), nil
}

func yamlKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// write writes a value in flow style: everything that the decoder reads into a
// registry.
func write(text *strings.Builder, v reflect.Value) error {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		t, err := m.MarshalText()
		text.WriteString(quoted(string(t)))
		return err
	}
	if d, ok := v.Interface().(time.Duration); ok {
		text.WriteString(d.String())
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return writeStruct(text, v)
	case reflect.Slice:
		text.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				text.WriteString(", ")
			}
			if err := write(text, v.Index(i)); err != nil {
				return err
			}
		}
		text.WriteByte(']')
	case reflect.Map:
		return writeMap(text, v)
	case reflect.String:
		text.WriteString(quoted(v.String()))
	case reflect.Float64:
		text.WriteString(strconv.FormatFloat(v.Float(), 'f', -1, 64))
	case reflect.Int:
		text.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Bool:
		text.WriteString(strconv.FormatBool(v.Bool()))
	default:
		return fmt.Errorf("no way to write a %s", v.Type())
	}
	return nil
}

func writeStruct(text *strings.Builder, v reflect.Value) error {
	text.WriteByte('{')
	sep := ""
	for i := range v.NumField() {
		field := v.Field(i)
		if field.IsZero() {
			continue
		}
		text.WriteString(sep + yamlKey(v.Type().Field(i)) + ": ")
		if err := write(text, field); err != nil {
			return err
		}
		sep = ", "
	}
	text.WriteByte('}')
	return nil
}

// writeMap writes a map with keys that are texts, in their order.
func writeMap(text *strings.Builder, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	text.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(quoted(k.String()) + ": ")
		if err := write(text, v.MapIndex(k)); err != nil {
			return err
		}
	}
	text.WriteByte('}')
	return nil
}

// plain is what needs no quotes in YAML, but for the words of notText.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

var notText = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

// quoted writes a text so that it is read back as it is. Go's escapes are
// YAML's where the text is UTF-8.
func quoted(s string) string {
	if plain.MatchString(s) && !slices.Contains(notText, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD"))
}
