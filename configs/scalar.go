package configs

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var durationType = reflect.TypeFor[time.Duration]()

// String describes a value in a message: what it is, or what it says.
func (n *node) String() string {
	switch n.kind {
	case list:
		return "a list"
	case mapping:
		return "keys and values"
	case null:
		return "nothing"
	}
	return excerpt(n.text)
}

// excerpt quotes the beginning of what somebody wrote.
func excerpt(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strconv.Quote(s)
}

// text decodes a scalar whose type reads itself.
func (d *decoder) text(n *node, into encoding.TextUnmarshaler, path string) {
	if n.kind != scalar {
		d.refuse(n.at, path, "expected a value, got %s", n)
		return
	}
	err := into.UnmarshalText([]byte(n.text))
	if _, isTime := into.(*time.Time); isTime && err != nil {
		d.refuse(n.at, path, "%s is no time; write 2026-11-23T17:00:00+03:00", n)
	} else if err != nil {
		d.refuse(n.at, path, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// scalar decodes into strings, numbers, booleans and durations.
func (d *decoder) scalar(n *node, v reflect.Value, path string) {
	if v.Type() == durationType {
		d.duration(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.string(n, v, path)
	case reflect.Bool:
		d.bool(n, v, path)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.text, 10, v.Type().Bits())
		if d.number(n, path, "a whole number", err) {
			v.SetInt(i)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(n.text, 10, v.Type().Bits())
		if d.number(n, path, "a whole number of 0 or more", err) {
			v.SetUint(u)
		}
	case reflect.Float32, reflect.Float64:
		f, err := parseFloat(n.text)
		if d.number(n, path, "a number", err) {
			v.SetFloat(f)
		}
	default:
		panic(fmt.Sprintf("configs: %s: no way to decode into %s", path, v.Type()))
	}
}

// parseFloat takes finite decimal numbers only: no hexadecimal, no
// underscores, no infinities.
func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(text, "xX_pP")) {
		err = strconv.ErrSyntax
	}
	return f, err
}

// number reports a scalar that is no number, or one that does not fit.
func (d *decoder) number(n *node, path, want string, err error) bool {
	switch {
	case n.kind != scalar:
		d.refuse(n.at, path, "expected %s, got %s", want, n)
	case n.quoted:
		d.refuse(n.at, path, "expected %s, got the text %s; remove the quotes", want, n)
	case err != nil && isRange(err):
		d.refuse(n.at, path, "%s is out of range", n)
	case err != nil:
		d.refuse(n.at, path, "expected %s, got %s", want, n)
	default:
		return true
	}
	return false
}

// string takes numbers and the like as they are written, since an id may
// consist of digits.
func (d *decoder) string(n *node, v reflect.Value, path string) {
	switch n.kind {
	case scalar:
		v.SetString(n.text)
	case null:
		d.refuse(n.at, path, `expected text, got nothing; write "" for an empty one`)
	case mapping:
		d.refuse(n.at, path, "expected text, got %s; put a text with a colon in quotes", n)
	default:
		d.refuse(n.at, path, "expected text, got %s", n)
	}
}

func (d *decoder) bool(n *node, v reflect.Value, path string) {
	switch {
	case n.kind == scalar && !n.quoted && n.text == "true":
		v.SetBool(true)
	case n.kind == scalar && !n.quoted && n.text == "false":
		v.SetBool(false)
	default:
		d.refuse(n.at, path, "expected true or false, got %s", n)
	}
}

func (d *decoder) duration(n *node, v reflect.Value, path string) {
	t, err := time.ParseDuration(n.text)
	switch {
	case n.kind != scalar:
		d.refuse(n.at, path, `expected a duration such as 1s or 1h30m, got %s`, n)
	case err == nil && (t != 0 || n.text != ""):
		v.SetInt(int64(t))
	case isNumber(n.text):
		d.refuse(n.at, path, `the duration %s has no unit; write %ss for seconds`, n, n.text)
	default:
		d.refuse(n.at, path, `expected a duration such as 1s or 1h30m, got %s`, n)
	}
}

func isNumber(text string) bool {
	_, err := parseFloat(text)
	return err == nil
}

func isRange(err error) bool { return errors.Is(err, strconv.ErrRange) }
