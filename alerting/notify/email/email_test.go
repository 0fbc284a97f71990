package email

import (
	"context"
	"errors"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func server(t *testing.T, o peers.SMTPOptions) *peers.Process {
	t.Helper()
	p, err := peers.StartSMTP(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

func open(t *testing.T, addr string, mutate func(*Config)) *Channel {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	config := DefaultConfig()
	config.Host, config.TLS, config.From = host, NoTLS, "إمداد <imdad@example.org>"
	if config.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if mutate != nil {
		mutate(&config)
	}
	c, err := New(Options{Config: config, Password: func() (string, error) { return config.Password, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func inbox(t *testing.T, dir string) []string {
	t.Helper()
	mails, err := peers.ReadMail(dir)
	if err != nil {
		t.Fatal(err)
	}
	return mails
}

func TestARealServerTakesTheMailAndItParsesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, server(t, peers.SMTPOptions{Dir: dir}).Addr(), nil)
	if err := c.Send(t.Context(), notice("Rima <rima@example.org>")); err != nil {
		t.Fatal(err)
	}
	session := c.link
	english := notice("omar@example.org")
	english.ID, english.Language, english.Repeated = 43, message.English, true
	if err := c.Send(t.Context(), english); err != nil {
		t.Fatal(err)
	}
	if c.link != session {
		t.Error("a second session for the second mail")
	}
	mails := inbox(t, dir)
	if len(mails) != 2 {
		t.Fatalf("%d mails", len(mails))
	}
	if strings.Contains(mails[0], "omar@") {
		mails[0], mails[1] = mails[1], mails[0]
	}
	got := parse(t, mails[0])
	if got.subject(t) != subject {
		t.Errorf("subject %q, want %q", got.subject(t), subject)
	}
	from, err := got.header.AddressList("From")
	if err != nil || *from[0] != (mail.Address{Name: "إمداد", Address: "imdad@example.org"}) {
		t.Errorf("from %v, %v", from, err)
	}
	to, err := got.header.AddressList("To")
	if err != nil || *to[0] != (mail.Address{Name: "Rima", Address: "rima@example.org"}) {
		t.Errorf("to %v, %v", to, err)
	}
	if date, err := got.header.Date(); err != nil || date.Unix() != 1763895600 {
		t.Errorf("date %v, %v", date, err)
	}
	for key, want := range map[string]string{
		"Message-Id": "<1763895600123-42@example.org>", "Auto-Submitted": "auto-generated", "Content-Language": "ar",
		"Mime-Version": "1.0", RepeatedHeader: "",
	} {
		if v := got.header.Get(key); v != want {
			t.Errorf("%s: %q, want %q", key, v, want)
		}
	}
	if len(got.parts) != 2 || got.parts[0] != plain || got.parts[1] != page {
		t.Errorf("parts %q", got.parts)
	}
	if got.types[0] != "text/plain; charset=UTF-8" || got.types[1] != "text/html; charset=UTF-8" {
		t.Errorf("types %q", got.types)
	}
	second := parse(t, mails[1])
	if second.subject(t) != "Power lost at F-12" || second.parts[1] != "<p>Power lost</p>" || second.header.Get(RepeatedHeader) != "true" {
		t.Errorf("the English one: %v", second)
	}
}

func TestRefusalsByRecipient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, server(t, peers.SMTPOptions{Dir: dir}).Addr(), nil)
	for _, r := range []struct {
		to        string
		permanent bool
	}{
		{"busy@example.org", false}, {"unknown@example.org", true}, {"full@example.org", false}, {"spam@example.org", true},
	} {
		if err := c.Send(t.Context(), notice(r.to)); err == nil || errors.Is(err, notify.ErrPermanent) != r.permanent {
			t.Errorf("to %s: %v, want permanent %t", r.to, err, r.permanent)
		}
	}
	if err := c.Send(t.Context(), notice("rima@example.org")); err != nil {
		t.Errorf("the next mail: %v", err)
	}
	if n := len(inbox(t, dir)); n != 1 {
		t.Errorf("%d mails came", n)
	}
}

func TestARestartedServerIsCalledAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := server(t, peers.SMTPOptions{Dir: dir})
	c := open(t, p.Addr(), nil)
	if err := c.Send(t.Context(), notice("rima@example.org")); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), notice("rima@example.org")); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("without a server: %v", err)
	}
	p = server(t, peers.SMTPOptions{Dir: dir, Addr: p.Addr()})
	if err := c.Send(t.Context(), notice("rima@example.org")); err != nil {
		t.Fatal(err)
	}
	// Once more, this time with a session that dies unnoticed.
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	server(t, peers.SMTPOptions{Dir: dir, Addr: p.Addr()})
	if err := c.Send(t.Context(), notice("rima@example.org")); err != nil {
		t.Fatal(err)
	}
	if n := len(inbox(t, dir)); n != 3 {
		t.Errorf("%d mails came", n)
	}
}

func TestEncryptionAndLogin(t *testing.T) {
	t.Parallel()
	cert, key, err := peers.SelfSigned(t.TempDir(), "server")
	if err != nil {
		t.Fatal(err)
	}
	login := func(c *Config) { c.CA, c.Username, c.Password = cert, peers.SMTPUser, peers.SMTPPassword }
	for _, c := range []struct {
		name     string
		implicit bool
		mutate   func(*Config)
		want     string
	}{
		{"starttls and login", false, func(c *Config) { c.TLS = StartTLS; login(c) }, ""},
		{"implicit", true, func(c *Config) { c.TLS, c.CA = ImplicitTLS, cert }, ""},
		{"unknown authority", false, func(c *Config) { c.TLS = StartTLS }, "unknown authority"},
		{"implicit, unknown authority", true, func(c *Config) { c.TLS = ImplicitTLS }, "unknown authority"},
		{"wrong password", false, func(c *Config) { c.TLS = StartTLS; login(c); c.Password = "guessed" }, "535"},
		{"plain text to a server that wants TLS", false, nil, "530"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := server(t, peers.SMTPOptions{Dir: dir, Cert: cert, Key: key, Implicit: c.implicit})
			err := open(t, p.Addr(), c.mutate).Send(t.Context(), notice("rima@example.org"))
			if c.want == "" {
				if err != nil || len(inbox(t, dir)) != 1 {
					t.Errorf("err = %v, %d mails; it said:\n%s", err, len(inbox(t, dir)), p.Log())
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, notify.ErrPermanent) || strings.Contains(err.Error(), "guessed") {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
	// A server without STARTTLS is not trusted with plain text.
	plain := server(t, peers.SMTPOptions{Dir: t.TempDir()})
	if err := open(t, plain.Addr(), func(c *Config) { c.TLS = StartTLS }).Send(t.Context(), notice("rima@example.org")); err == nil ||
		!strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("without STARTTLS: %v", err)
	}
}

func TestASilentServer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	short := open(t, silent.Addr().String(), func(c *Config) { c.Timeout = 200 * time.Millisecond })
	if err := short.Send(t.Context(), notice("rima@example.org")); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := open(t, silent.Addr().String(), nil).Send(ctx, notice("rima@example.org")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

// TestAFrozenServerAndTheEndOfTheContext freezes it between two mails.
func TestAFrozenServerAndTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	p := server(t, peers.SMTPOptions{Dir: t.TempDir()})
	c := open(t, p.Addr(), nil)
	if err := c.Send(t.Context(), notice("rima@example.org")); err != nil {
		t.Fatal(err)
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(15 * time.Second) // shorter than the channel's own timeout
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := c.Send(ctx, notice("rima@example.org"))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a frozen server: %v", err)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		want   string
	}{
		{"complete", func(*Config) {}, ""},
		{"with a login", func(c *Config) { c.Username, c.Password = "imdad", "${SMTP}" }, ""},
		{"host", func(c *Config) { c.Host = "mail:25" }, "host: give"},
		{"no host", func(c *Config) { c.Host = "" }, "host: give"},
		{"port", func(c *Config) { c.Port = 0 }, "port: 0"},
		{"from", func(c *Config) { c.From = "imdad" }, `from: "imdad" is no address`},
		{"tls", func(c *Config) { c.TLS = "ssl" }, `tls: unknown value "ssl"`},
		{"password in the clear", func(c *Config) { c.TLS, c.Username, c.Password = NoTLS, "a", "b" }, "tls: none would send"},
		{"login half", func(c *Config) { c.Username = "a" }, "username: goes together"},
		{"timeout", func(c *Config) { c.Timeout = 0 }, "timeout: 0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.Host, config.From = "mail.example.org", "Imdad <imdad@example.org>"
			c.mutate(&config)
			err := config.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
	config := DefaultConfig()
	config.Host, config.From, config.CA = "mail.example.org", "imdad@example.org", "missing.pem"
	if _, err := New(Options{Config: config}); err == nil || !strings.HasPrefix(err.Error(), "ca: ") {
		t.Errorf("missing authority: %v", err)
	}
}
