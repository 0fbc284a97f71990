package email

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

const (
	subject = "انقطاع التيار الكهربائي عن \u2068F-12\u2069 منذ \u206810:15\u2069"
	plain   = "انقطاع التيار الكهربائي عن \u2068F-12\u2069\nمنذ \u206823 تشرين الثاني 2026\u2069\n\nيتوقف: \u2068dye-1\u2069\n"
	page    = `<!DOCTYPE html><html lang="ar" dir="rtl"><body><p>انقطاع التيار الكهربائي عن <bdi>F-12</bdi></p></body></html>`
)

func notice(to string) notify.Notice {
	return notify.Notice{
		ID: 42, Channel: "mail", Address: to, Person: "rima", Language: message.Arabic, Created: time.UnixMilli(1763895600123).UTC(),
		Content: message.Content{Type: message.Alarm, Alarms: []alarm.Alarm{{ID: "elec.outage:F-12", Occurrence: 9}}},
		Texts: map[message.Language]message.Text{
			message.Arabic:  {Subject: subject, Plain: plain, HTML: page},
			message.English: {Subject: "Power lost at F-12", Plain: "Power lost", HTML: "<p>Power lost</p>"},
		},
	}
}

// parsed is a mail as a reader sees it.
type parsed struct {
	header mail.Header
	types  []string
	parts  []string
}

func parse(t *testing.T, raw string) parsed {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{header: m.Header}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v in\n%s", kind, err, raw)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = part
		switch part.Header.Get("Content-Transfer-Encoding") {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, part)
		case "quoted-printable":
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		p.types = append(p.types, part.Header.Get("Content-Type"))
		p.parts = append(p.parts, strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
}

func (p parsed) subject(t *testing.T) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func render(t *testing.T, n notify.Notice) string {
	t.Helper()
	m, err := compose(n, "إمداد <imdad@example.org>", "example.org")
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	return raw.String()
}

func TestMailsOnOneOccurrenceShareAThread(t *testing.T) {
	t.Parallel()
	first, second := notice("rima@example.org"), notice("rima@example.org")
	second.ID, second.Content.Type = 43, message.Returned
	other := notice("rima@example.org")
	other.ID, other.Content.Alarms = 44, []alarm.Alarm{{ID: "elec.outage:F-12", Occurrence: 77}}
	a, b, c := parse(t, render(t, first)).header, parse(t, render(t, second)).header, parse(t, render(t, other)).header
	if a.Get("References") == "" || a.Get("References") != b.Get("References") || a.Get("References") == c.Get("References") ||
		a.Get("In-Reply-To") != a.Get("References") {
		t.Errorf("references %q, %q, %q", a.Get("References"), b.Get("References"), c.Get("References"))
	}
	if a.Get("Message-Id") == b.Get("Message-Id") || a.Get("Message-Id") != parse(t, render(t, first)).header.Get("Message-Id") {
		t.Errorf("message ids %q, %q", a.Get("Message-Id"), b.Get("Message-Id"))
	}
	digest := notice("rima@example.org")
	digest.Content.Alarms = append(digest.Content.Alarms, alarm.Alarm{ID: "x", Occurrence: 10})
	if got := parse(t, render(t, digest)).header.Get("References"); got != "" {
		t.Errorf("a digest refers to %q", got)
	}
}

func TestOnlyRepeatsSayThatTheyAre(t *testing.T) {
	t.Parallel()
	n := notice("rima@example.org")
	if got := parse(t, render(t, n)).header.Get(RepeatedHeader); got != "" {
		t.Errorf("a first copy says %q", got)
	}
	n.Repeated = true
	if got := parse(t, render(t, n)).header.Get(RepeatedHeader); got != "true" {
		t.Errorf("a repeat says %q", got)
	}
}

func TestASubjectCannotAddHeaders(t *testing.T) {
	t.Parallel()
	n := notice("rima@example.org")
	n.Language = message.English
	n.Texts = map[message.Language]message.Text{message.English: {Subject: "a\r\nBcc: all@example.org", Plain: "b", HTML: "b"}}
	if got := parse(t, render(t, n)).header.Get("Bcc"); got != "" {
		t.Errorf("Bcc: %s", got)
	}
}

func TestComposeRefusesForGood(t *testing.T) {
	t.Parallel()
	noWords := notice("rima@example.org")
	noWords.Texts = nil
	for _, n := range []notify.Notice{notice("rima"), notice(""), notice("a@b\r\nRCPT TO:<c@d>"), noWords} {
		if _, err := compose(n, "imdad@example.org", "example.org"); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("to %q: %v", n.Address, err)
		}
	}
}
