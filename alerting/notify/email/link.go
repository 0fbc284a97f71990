package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// link is one session with the server, kept for the next mail. The bare connection is at hand because go-mail heeds a
// context only while it dials, and leaves the connection open when the greeting or the login fails.
type link struct {
	mailer *gomail.Client
	client *smtp.Client
	conn   net.Conn
	used   time.Time
}

// mechanisms are the ways to log in, best first. PLAIN and LOGIN are refused by go-mail where the connection is not
// encrypted.
var mechanisms = []gomail.SMTPAuthType{
	gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin,
}

// connect dials, encrypts and logs in.
func connect(ctx context.Context, c Config, password string) (*link, error) {
	secure, err := tlsConfig(c)
	if err != nil {
		return nil, err
	}
	l := &link{}
	options := []gomail.Option{
		gomail.WithPort(c.Port), gomail.WithTimeout(c.Timeout), gomail.WithTLSConfig(secure),
		gomail.WithoutSMTPUTF8(), // headers are encoded; a mail that asks for it may be refused further on
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			l.conn, err = dial(ctx, network, address, c.TLS, secure)
			return l.conn, err
		}),
	}
	if c.TLS == StartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	} else {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // or there already
	}
	if c.Username != "" {
		options = append(options, gomail.WithUsername(c.Username), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(mechanisms...))
	}
	if l.mailer, err = gomail.NewClient(c.Host, options...); err != nil {
		return nil, fmt.Errorf("set up the mail client: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { l.abort() })
	defer stop()
	if l.client, err = l.mailer.DialToSMTPClientWithContext(ctx); err != nil {
		l.abort()
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", c.Host, err), context.Cause(ctx))
	}
	return l, nil
}

// dial opens the connection, with TLS from the start if that is asked for.
func dial(ctx context.Context, network, address, mode string, secure *tls.Config) (net.Conn, error) {
	if mode == ImplicitTLS {
		return (&tls.Dialer{Config: secure}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// tlsConfig reads the authorities anew, so that renewed ones count from the next connection on.
func tlsConfig(c Config) (*tls.Config, error) {
	config := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca: no certificate in %s", c.CA)
	}
	return config, nil
}

// send hands over one mail; the end of ctx ends it.
func (l *link) send(ctx context.Context, m *gomail.Msg) error {
	stop := context.AfterFunc(ctx, l.abort)
	defer stop()
	l.used = time.Now()
	if err := l.mailer.SendWithSMTPClient(l.client, m); err != nil && !m.IsDelivered() {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}

// abort cuts the connection.
func (l *link) abort() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing is waiting in it
	}
}

// close says goodbye, for at most a moment.
func (l *link) close() {
	_ = l.client.UpdateDeadline(time.Second)   // of a connection that is gone
	_ = l.mailer.CloseWithSMTPClient(l.client) // likewise
	l.abort()
}
