package telegram

import (
	"strings"
	"unicode/utf16"

	"github.com/imdad-telemetry/imdad/alerting/message"
)

// maxText is what a message holds, in UTF-16 units, formatting not counted; maxToast what an answer to a button holds, in
// characters.
const (
	maxText  = 4096
	maxToast = 200
)

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// html is the subject in bold over the text, in the HTML that Telegram understands.
func html(t message.Text) string {
	subject := cut(strings.TrimSpace(t.Subject), maxText/2)
	plain := cut(strings.TrimSpace(t.Plain), maxText-units(subject)-len("\n\n"))
	return "<b>" + escape.Replace(subject) + "</b>\n\n" + escape.Replace(plain)
}

func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// cut shortens s to limit UTF-16 units, with an ellipsis in place of what went.
func cut(s string, limit int) string {
	if units(s) <= limit {
		return s
	}
	left := limit - 1
	for i, r := range s {
		if left -= max(utf16.RuneLen(r), 1); left < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// What the channel itself says to people.
type phrase struct{ en, ar string }

var (
	acknowledge = phrase{"Acknowledge", "تأكيد الاستلام"}
	isOver      = phrase{"This alarm is over.", "انتهى هذا الإنذار."}
	unknown     = phrase{"Only people on the list of contacts can acknowledge.", "تأكيد الاستلام متاح فقط لمن هم في قائمة جهات الاتصال."}
	failed      = phrase{"Not acknowledged. Please press again.", "لم يتم تأكيد الاستلام، يرجى الضغط مرة أخرى."}
)

func (p phrase) in(l message.Language) string {
	if l == message.English {
		return p.en
	}
	return p.ar
}

// languageOf is the language of somebody's Telegram, as far as there are texts in it.
func (u user) language() message.Language {
	if u.LanguageCode == "" || strings.HasPrefix(u.LanguageCode, "ar") {
		return message.Arabic
	}
	return message.English
}
