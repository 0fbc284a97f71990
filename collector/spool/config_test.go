package spool

import (
	"strings"
	"testing"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     Bytes
		out      string
	}{
		{"plain", "4096", 4096, "4KiB"},
		{"odd", "1000", 1000, "1000"},
		{"bytes", "17B", 17, "17"},
		{"kibi", "64KiB", 64 << 10, "64KiB"},
		{"mebi with space", " 256 MiB ", 256 << 20, "256MiB"},
		{"gibi", "10GiB", 10 << 30, "10GiB"},
		{"tebi", "2TiB", 2 << 40, "2TiB"},
		{"not whole", "1536KiB", 1536 << 10, "1536KiB"},
		{"zero", "0", 0, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Bytes
			if err := b.UnmarshalText([]byte(c.in)); err != nil || b != c.want {
				t.Fatalf("%d, %v", b, err)
			}
			out, err := b.MarshalText()
			if err != nil || string(out) != c.out {
				t.Errorf("written %q, %v", out, err)
			}
		})
	}
	for _, bad := range []string{"", "GiB", "-1", "10GB", "1.5GiB", "ten", "9999999999TiB"} {
		t.Run("bad "+bad, func(t *testing.T) {
			b := Bytes(7)
			if err := b.UnmarshalText([]byte(bad)); err == nil || b != 7 {
				t.Errorf("accepted as %d", b)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	if err := DefaultQuarantineConfig().Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{MaxBytes: MiB}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "max_bytes: ") {
		t.Errorf("tiny cap: %v", err)
	}
	if err := (QuarantineConfig{}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "max_bytes: ") {
		t.Errorf("tiny quarantine: %v", err)
	}
	err := Options{}.validate()
	for _, want := range []string{"no directory", "spool: max_bytes", "quarantine: max_bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
