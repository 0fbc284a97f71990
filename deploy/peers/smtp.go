package peers

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The login that the mail server takes, after STARTTLS only.
const (
	SMTPUser     = "imdad"
	SMTPPassword = "secret"
)

// SMTPOptions says what mail server to start.
type SMTPOptions struct {
	// Dir takes the mail, in the Maildir Dir/mail. It must exist.
	Dir string
	// Addr is the host:port to listen on; empty picks a free loopback port.
	Addr string
	// Cert and Key are PEM files; with them the server demands STARTTLS, or, with Implicit, speaks TLS from the start.
	Cert, Key string
	Implicit  bool
}

// smtpPolicy says which recipients are put off or refused.
//
//go:embed smtp_policy.py
var smtpPolicy []byte

// StartSMTP runs aiosmtpd, a mail server that keeps what it takes; see smtp_policy.py for what it does not take. ctx
// bounds the wait only; without a deadline it is 60 s.
func StartSMTP(ctx context.Context, o SMTPOptions) (*Process, error) {
	if o.Dir == "" {
		return nil, errors.New("start aiosmtpd: no directory given")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	binary, err := installed("aiosmtpd")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "smtp_policy.py"), smtpPolicy, 0o600); err != nil {
		return nil, fmt.Errorf("configure aiosmtpd: %w", err)
	}
	return startOn(ctx, o.Addr, func(ctx context.Context, addr string) (*Process, error) {
		return start(ctx, spec{
			name:   "aiosmtpd",
			binary: binary,
			addr:   addr,
			args:   slices.Concat([]string{"-n", "-d", "-l", addr, "-c", "smtp_policy.Policy"}, o.tls(), []string{filepath.Join(dir, "mail")}),
			env:    []string{"PYTHONPATH=" + dir, "PYTHONDONTWRITEBYTECODE=1"},
			upLine: "Server is listening on",
			probe:  func(ctx context.Context) error { return dial(ctx, addr) },
			stop:   syscall.SIGINT,
		})
	})
}

func (o SMTPOptions) tls() []string {
	switch {
	case o.Cert == "":
		return nil
	case o.Implicit:
		return []string{"--smtpscert", o.Cert, "--smtpskey", o.Key}
	}
	return []string{"--tlscert", o.Cert, "--tlskey", o.Key}
}

// ReadMail returns the messages in a server's directory, raw, in no order.
func ReadMail(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "mail", "new", "*"))
	if err != nil {
		return nil, err
	}
	mails := make([]string, 0, len(files))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read mail: %w", err)
		}
		mails = append(mails, strings.ReplaceAll(string(raw), "\r\n", "\n"))
	}
	return mails, nil
}
