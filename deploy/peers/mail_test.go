package peers

import (
	"net/smtp"
	"strings"
	"testing"
)

func TestSMTPKeepsMailAndRefusesByRecipient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := StartSMTP(t.Context(), SMTPOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ to, want string }{
		{"zone@example.org", ""},
		{"busy@example.org", "451"},
		{"unknown@example.org", "550"},
		{"spam@example.org", "554"},
		{"full@example.org", "452"},
	} {
		err := smtp.SendMail(p.Addr(), nil, "imdad@example.org", []string{c.to}, []byte("Subject: one\r\n\r\nbody\r\n"))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("to %s: %v, want %q", c.to, err, c.want)
		}
	}
	mails, err := ReadMail(dir)
	if err != nil || len(mails) != 1 || !strings.Contains(mails[0], "Subject: one\n") {
		t.Errorf("kept %q, %v; want the one message", mails, err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
