package email

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// RepeatedHeader marks mail that may have been sent before.
const RepeatedHeader = "X-Imdad-Repeated"

// compose puts a notice into a mail. Errors are for good: an address that is none, or no words.
func compose(n notify.Notice, from, domain string) (*gomail.Msg, error) {
	text, ok := n.Texts[n.Language]
	if !ok {
		return nil, fmt.Errorf("%w: no text in %q", notify.ErrPermanent, n.Language)
	}
	encoding := gomail.EncodingQP
	if n.Language == message.Arabic {
		encoding = gomail.EncodingB64 // half the size for letters that take two bytes each
	}
	m := gomail.NewMsg(gomail.WithEncoding(encoding), gomail.WithNoDefaultUserAgent())
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("%w: sender: %w", notify.ErrPermanent, err)
	}
	if err := m.To(n.Address); err != nil {
		return nil, fmt.Errorf("%w: recipient: %w", notify.ErrPermanent, err)
	}
	m.Subject(text.Subject)
	m.SetDateWithValue(n.Created)
	m.SetMessageIDWithValue(n.Key() + "@" + domain)
	if id, ok := thread(n); ok {
		reference := "<" + id + "@" + domain + ">"
		m.SetGenHeaderPreformatted(gomail.HeaderInReplyTo, reference)
		m.SetGenHeaderPreformatted(gomail.HeaderReferences, reference)
	}
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday replies
	m.SetGenHeader("Content-Language", string(n.Language))
	if n.Repeated {
		m.SetGenHeader(RepeatedHeader, "true")
	}
	m.SetBodyString(gomail.TypeTextPlain, text.Plain)
	if text.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, text.HTML)
	}
	return m, nil
}

// thread names the occurrence that a notice is about, if it is one: no mail has this id, but all refer to it.
func thread(n notify.Notice) (string, bool) {
	if len(n.Content.Alarms) != 1 || n.Content.Alarms[0].Occurrence == 0 {
		return "", false
	}
	a := n.Content.Alarms[0]
	sum := sha256.Sum256([]byte(a.ID))
	return "alarm-" + strconv.FormatInt(a.Occurrence, 10) + "-" + hex.EncodeToString(sum[:8]), true
}

// domainOf is what stands behind the last @ of an address.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
