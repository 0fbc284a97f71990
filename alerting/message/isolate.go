package message

import (
	"strings"
	"unicode"
)

// First-strong isolate and its end (Unicode UAX #9): what is between them is
// ordered by itself and leaves the text around it alone.
const (
	fsi = "\u2068"
	pdi = "\u2069"
)

func isolate(s string) string {
	if s == "" {
		return ""
	}
	return fsi + s + pdi
}

var noIsolates = strings.NewReplacer(fsi, "", pdi, "")

// bare is s without isolates, for where they would be shown or cost money.
func bare(s string) string { return noIsolates.Replace(s) }

// clean makes a name from outside harmless: one line, no controls, neither
// those of bidirectional text nor the ASCII ones, so that it cannot turn the
// message round it. It keeps zero-width joiners, which are spelling.
func clean(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r), r == '\ufeff', r == unicode.ReplacementChar:
			return -1
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))), " ")
}

func isArabic(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Arabic, r) {
			return true
		}
	}
	return false
}
