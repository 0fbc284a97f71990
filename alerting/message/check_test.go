package message_test

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// complaints lists what no text may have in it, whatever it says.
func complaints(text string) []string {
	var found []string
	for _, bad := range []string{"{", "}", "<no value>", "%!", "NaN", "Inf", "[", "]"} {
		if strings.Contains(withoutCode(text), bad) {
			found = append(found, fmt.Sprintf("it has %q in it", bad))
		}
	}
	for i, r := range text {
		if (r >= '\u0660' && r <= '\u0669') || (r >= '\u06f0' && r <= '\u06f9') {
			found = append(found, fmt.Sprintf("byte %d: digit %c is not Latin", i, r))
		}
	}
	return append(found, misdirected(text)...)
}

// misdirected lists what would turn the text round: isolates that are not
// balanced on their line, and other controls.
func misdirected(text string) []string {
	var found []string
	open := 0
	for i, r := range text {
		switch {
		case r == '\u2068':
			open++
		case r == '\u2069':
			open--
		case unicode.Is(unicode.Bidi_Control, r):
			found = append(found, fmt.Sprintf("byte %d: control %U", i, r))
		case r == '\n' && open != 0:
			found = append(found, fmt.Sprintf("byte %d: the line ends inside an isolate", i))
			open = 0
		}
		if open < 0 || open > 1 {
			found = append(found, fmt.Sprintf("byte %d: isolates are %d deep", i, open))
			open = 0
		}
	}
	return found
}

// withoutCode leaves out the labels "== NaN" of the golden files.
func withoutCode(text string) string {
	return strings.ReplaceAll(text, "== NaN\n", "")
}

// void elements have no end tag.
var void = map[string]bool{"meta": true, "br": true, "img": true, "hr": true, "link": true, "input": true}

// unbalanced tells what is wrong with the tags of a page; empty: nothing.
func unbalanced(page string) string {
	var stack []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(stack) > 0 {
				return fmt.Sprintf("%v are open at the end", stack)
			}
			return ""
		case html.StartTagToken:
			if name, _ := z.TagName(); !void[string(name)] {
				stack = append(stack, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(stack) == 0 || stack[len(stack)-1] != string(name) {
				return fmt.Sprintf("</%s> closes %v", name, stack)
			}
			stack = stack[:len(stack)-1]
		}
	}
}
