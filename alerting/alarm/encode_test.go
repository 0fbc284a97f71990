package alarm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// fill gives every field of a struct a value of its own, so that a field that
// is added later is not forgotten.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(start.Add(time.Duration(*n) * 1001 * time.Millisecond)))
		return
	case rule.Severity:
		v.Set(reflect.ValueOf(rule.High))
		return
	case phase:
		v.Set(reflect.ValueOf(clearing))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() || v.Type().Field(i).Anonymous {
				fill(v.Field(i), n)
			}
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("حلب <%d> \"\\\n", *n))
	case reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"a", "b\u2028"}))
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.Float64 {
			v.Set(reflect.ValueOf(map[string]float64{"b\"": -1e-30, "a": 12345.678, "c": 3e25}))
		} else {
			v.Set(reflect.ValueOf(map[string]string{"b": "x", "a": "ÿ\x7f"}))
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// same tells whether two texts are the same JSON, and the first in its order.
func same(t *testing.T, byHand []byte, v any) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(byHand, &a); err != nil {
		t.Fatalf("%v: %s", err, byHand)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("by hand %s\nshould be %s", byHand, want)
	}
}

// TestEncode compares with encoding/json: with every field filled, with none,
// and both ways.
func TestEncode(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		n := 0
		var r record
		var tr Transition
		r.Alarm.Severity, tr.Alarm.Severity = rule.Low, rule.Low
		r.Status.Base = Normal
		if full {
			fill(reflect.ValueOf(&r.Alarm).Elem(), &n)
			fill(reflect.ValueOf(&tr).Elem(), &n)
			s := reflect.ValueOf(&r.Status).Elem()
			fill(reflect.ValueOf(&r.Status.condition).Elem(), &n)
			for i := range s.NumField() {
				if s.Type().Field(i).IsExported() {
					fill(s.Field(i), &n)
				}
			}
		}
		same(t, appendAlarm(nil, &r.Alarm), &r.Alarm)
		same(t, appendLine(nil, &tr, appendAlarm(nil, &tr.Alarm)), &tr)
		text := appendRecord(nil, &r, appendAlarm(nil, &r.Alarm))
		same(t, text, &r)
		var back record
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("read back as %+v, was %+v, %v", back, r, err)
		}
	}
}
