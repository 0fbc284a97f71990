package email

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// idle is how long a session is kept for the next mail. Servers wait five minutes (RFC 5321, 4.5.3.2.7), some less.
const idle = 30 * time.Second

// Options is what a channel is made of.
type Options struct {
	Config Config
	// Password returns what Config.Password stands for; it is asked at each login. nil: there is none.
	Password func() (string, error)
}

// Channel sends through one mail server.
type Channel struct {
	config       Config
	password     func() (string, error)
	from, domain string

	mu   sync.Mutex // Close comes from another goroutine than Send
	link *link      // nil: none is open
}

// New checks the configuration; it does not call the server.
func New(o Options) (*Channel, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if _, err := tlsConfig(o.Config); err != nil {
		return nil, err
	}
	sender, err := mail.ParseAddress(o.Config.From)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if o.Password == nil {
		o.Password = func() (string, error) { return "", nil }
	}
	return &Channel{config: o.Config, password: o.Password, from: o.Config.From, domain: domainOf(sender.Address)}, nil
}

// Close ends the session that waits for the next mail.
func (c *Channel) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
	return nil
}

// Send hands the notice to the server.
func (c *Channel) Send(ctx context.Context, n notify.Notice) error {
	m, err := compose(n, c.from, c.domain)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil && time.Since(c.link.used) < idle {
		if err := c.link.send(ctx, m); !isGone(err) {
			return c.judge(err)
		}
	}
	c.drop()
	password, err := c.password()
	if err != nil {
		return err
	}
	if c.link, err = connect(ctx, c.config, password); err != nil {
		c.link = nil
		return err
	}
	return c.judge(c.link.send(ctx, m))
}

// drop ends the session, if any. c.mu is held.
func (c *Channel) drop() {
	if c.link != nil {
		c.link.close()
		c.link = nil
	}
}

// isGone tells that the server had closed a session that was kept: nothing was sent.
func isGone(err error) bool {
	failed, ok := errors.AsType[*gomail.SendError](err)
	return ok && failed.Reason == gomail.ErrConnCheck
}

// judge tells whether a failed mail is worth another try, and ends the session unless the server was clear. c.mu is held.
func (c *Channel) judge(err error) error {
	if err == nil {
		return nil
	}
	code := 0
	if failed, ok := errors.AsType[*gomail.SendError](err); ok {
		code = failed.ErrorCode()
	}
	if code == 0 || code == 421 { // no answer, or goodbye
		c.drop()
	}
	if permanent(code) {
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	return err
}

// permanent tells whether the server will never take this mail: a 5xx (RFC 5321, 4.2.1), but not one about who we are
// (RFC 4954): 530, 534, 535 and 538 are for the operator to mend.
func permanent(code int) bool {
	switch code {
	case 530, 534, 535, 538:
		return false
	}
	return code/100 == 5
}
