package main

import "testing"

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"a topic", "tele/plug/SENSOR", "tele/plug/SENSOR"},
		{"JSON", `{"P": "a\b"}`, `{"P": "a\b"}`},
		{"Arabic", "مضخة 3", "مضخة 3"},
		{"a colour", "\x1b[31mred", `"\x1b[31mred"`},
		{"two lines", "a\nb", `"a\nb"`},
		{"the other direction", "a\u202eb", `"a\u202eb"`},
		{"no UTF-8", "\xff", `"\xff"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := printable(tt.in); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
