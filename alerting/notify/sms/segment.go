package sms

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"
)

// coding is how the characters of a message are sent: what one takes, and how much goes into a message of one part and
// into each part of a longer one, whose header takes the rest (3GPP TS 23.040, 9.2.3.24.1).
type coding struct {
	cost      func(rune) int
	alone     int
	part      int
	ellipsis  string
	sevenBits bool
}

var (
	gsm  = coding{cost: func(r rune) int { return septets[r] }, alone: 160, part: 153, ellipsis: "...", sevenBits: true}
	ucs2 = coding{cost: utf16.RuneLen, alone: 70, part: 67, ellipsis: "…"}
)

// codingOf picks the GSM alphabet if it has every character, UCS-2 (in truth UTF-16) otherwise.
func codingOf(text string) coding {
	for _, r := range text {
		if septets[r] == 0 {
			return ucs2
		}
	}
	return gsm
}

// parts counts the parts that text is sent in. A character is never split between two: neither the two septets of an
// extension nor the two halves of a surrogate pair.
func (c coding) parts(text string) int {
	total, n, room := 0, 1, c.part
	for _, r := range text {
		cost := c.cost(r)
		total += cost
		if cost > room {
			n, room = n+1, c.part
		}
		room -= cost
	}
	if total <= c.alone {
		return 1
	}
	return n
}

// fit strips bidi isolates, which phones show as boxes, and cuts text so that it goes in at most limit parts. What is cut
// ends in an ellipsis, at the end of a word where there is one near, and never between a letter and its mark.
func fit(text string, limit int) (cut string, parts int, sevenBits bool) {
	text = strings.TrimSpace(strings.Map(visible, text))
	c := codingOf(text)
	if n := c.parts(text); n <= limit {
		return text, n, c.sevenBits
	}
	runes := []rune(text)
	// The longest beginning that fits is one before the shortest that does not.
	end := sort.Search(len(runes), func(n int) bool { return c.parts(string(runes[:n+1])+c.ellipsis) > limit })
	for end > 0 && unicode.Is(unicode.Mn, runes[end]) {
		end--
	}
	const near = 15 // characters: about a long word
	for space := end; space > 0 && space > end-near; space-- {
		if unicode.IsSpace(runes[space]) {
			end = space
			break
		}
	}
	text = strings.TrimRightFunc(string(runes[:end]), unicode.IsSpace) + c.ellipsis
	return text, c.parts(text), c.sevenBits
}

// visible drops bidi isolates (U+2066 to U+2069) and the bytes that are no text.
func visible(r rune) rune {
	if r >= '\u2066' && r <= '\u2069' || r == unicode.ReplacementChar {
		return -1
	}
	return r
}
