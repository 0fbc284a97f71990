package message

import (
	"strings"
	"unicode/utf16"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
)

// Limits of a short text: what two parts of an Arabic (UCS-2) message hold, and
// one part in the GSM alphabet. A short text grows up to them, and beyond only
// if its first sentence alone is longer.
const (
	maxShortUCS2 = 134
	maxShortGSM  = 160
)

// extra is what a short text says besides the subject, the most needed first.
func (s *speaker) extra(t Type, a *alarm.Alarm) []string {
	if t == Returned {
		return nil
	}
	var sentences []string
	if len(a.Stalls) > 1 || (len(a.Stalls) == 1 && a.Stalls[0] != a.Object) { // else the subject has said it
		plants := s.counted("count.plants", len(a.Stalls))
		sentences = append(sentences, s.say("body.short_stalls", values{"plants": phrase(plants)}.lookup))
	}
	return append(sentences, firstSentence(s.do(a)))
}

// short lays the notice out as one paragraph for a telephone.
func (s *speaker) short(n *notice) string {
	text := bare(n.Subject)
	for _, more := range n.extra {
		longer := ended(text) + " " + bare(more)
		if !fits(longer) {
			break
		}
		text = longer
	}
	return text
}

// fits tells whether a telephone takes text within its limit.
func fits(text string) bool {
	units := len(utf16.Encode([]rune(text)))
	return units <= maxShortUCS2 || (units <= maxShortGSM && isASCII(text))
}

// isASCII stands in for the GSM alphabet, which has little more that names use.
func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }) < 0
}

// ended is the sentence with its full stop.
func ended(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "؟") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// firstSentence cuts what to do down to its first step.
func firstSentence(text string) string {
	if first, _, found := strings.Cut(text, ". "); found {
		return first + "."
	}
	return text
}
