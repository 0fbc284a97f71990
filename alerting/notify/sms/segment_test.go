package sms

import (
	"strings"
	"testing"
)

func TestParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		text  string
		parts int
		gsm   bool
	}{
		{"empty", "", 1, true},
		{"160 letters", strings.Repeat("a", 160), 1, true},
		{"161 letters", strings.Repeat("a", 161), 2, true},
		{"306 letters", strings.Repeat("a", 306), 2, true},
		{"307 letters", strings.Repeat("a", 307), 3, true},
		{"80 euros count two", strings.Repeat("€", 80), 1, true},
		{"81 euros", strings.Repeat("€", 81), 2, true},
		{"an escape is not split", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3, true},
		{"an escape at the end of a part", strings.Repeat("a", 151) + "€" + strings.Repeat("a", 153), 2, true},
		{"Greek capitals are GSM", strings.Repeat("Ω", 160), 1, true},
		{"a form feed counts two", strings.Repeat("a", 159) + "\f", 2, true},
		{"a backtick is not GSM", "`", 1, false},
		{"a tab is not GSM", "\t", 1, false},
		{"small ç is not GSM", "ç", 1, false},
		{"superscript three is not GSM", strings.Repeat("m³/h", 17), 1, false},
		{"70 Arabic letters", strings.Repeat("م", 70), 1, false},
		{"71 Arabic letters", strings.Repeat("م", 71), 2, false},
		{"134 Arabic letters", strings.Repeat("م", 134), 2, false},
		{"135 Arabic letters", strings.Repeat("م", 135), 3, false},
		{"35 pairs", strings.Repeat("😀", 35), 1, false},
		{"36 pairs", strings.Repeat("😀", 36), 2, false},
		{"a pair is not split", strings.Repeat("م", 66) + "😀" + strings.Repeat("م", 66), 3, false},
		{"a pair at the end of a part", strings.Repeat("م", 65) + "😀" + strings.Repeat("م", 67), 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			coding := codingOf(c.text)
			if got := coding.parts(c.text); got != c.parts || coding.sevenBits != c.gsm {
				t.Errorf("%d parts, GSM %t; want %d, %t", got, coding.sevenBits, c.parts, c.gsm)
			}
		})
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		text  string
		limit int
		want  string
		parts int
	}{
		{"short", "Power lost", 1, "Power lost", 1},
		{"isolates are stripped", " \u2068F-12\u2069 lost: \u2066 5\u2067%", 1, "F-12 lost:  5%", 1},
		{"bytes that are no text", "a\xffb", 1, "ab", 1},
		{"exactly full", strings.Repeat("a", 160), 1, strings.Repeat("a", 160), 1},
		{"a long word", strings.Repeat("a", 161), 1, strings.Repeat("a", 157) + "...", 1},
		{"at a word's end", strings.Repeat("a", 150) + " word and more", 1, strings.Repeat("a", 150) + " word...", 1},
		{"Arabic", strings.Repeat("م", 60) + " انقطاع التيار", 1, strings.Repeat("م", 60) + " انقطاع…", 1},
		{"a mark stays with its letter", strings.Repeat("م", 68) + "مَم", 1, strings.Repeat("م", 68) + "…", 1},
		{"two parts", strings.Repeat("م", 200), 2, strings.Repeat("م", 133) + "…", 2},
		{"a pair goes whole", strings.Repeat("م", 68) + "😀", 1, strings.Repeat("م", 68) + "😀", 1},
		{"a pair is cut whole", strings.Repeat("م", 68) + "😀م", 1, strings.Repeat("م", 68) + "…", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, parts, _ := fit(c.text, c.limit)
			if got != c.want || parts != c.parts {
				t.Errorf("%q in %d parts; want %q in %d", got, parts, c.want, c.parts)
			}
		})
	}
}

func FuzzFit(f *testing.F) {
	f.Add("انقطاع التيار الكهربائي عن \u2068F-12\u2069 منذ 10:15", 1)
	f.Add(strings.Repeat("€😀aمَ", 90), 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 1 || limit > maxSegments || len(text) > 4096 {
			t.Skip()
		}
		got, parts, sevenBits := fit(text, limit)
		if parts > limit || codingOf(got).parts(got) > limit || sevenBits && !codingOf(got).sevenBits {
			t.Errorf("%q of %q: %d parts, limit %d, GSM %t", got, text, parts, limit, sevenBits)
		}
	})
}
