package sms

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/notify/call"
)

// Options is what a channel is made of.
type Options struct {
	Config Config
	// Secret returns what Config.Secret stands for; it is asked before each message. nil: there is none.
	Secret func() (string, error)
	// Registerer takes the channel's metrics.
	Registerer prometheus.Registerer
}

// Channel sends through one gateway.
type Channel struct {
	config           Config
	secret           func() (string, error)
	templates        *templates
	success, refused *regexp.Regexp
	client           *call.Client
	metrics          *metrics
}

// New checks the configuration; it does not call the gateway.
func New(o Options) (*Channel, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	compiled, err := o.Config.compile()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register the metrics: %w", err)
	}
	c := &Channel{config: o.Config, secret: o.Secret, templates: compiled, client: call.New(o.Config.Timeout), metrics: m}
	c.success = expression(o.Config.Success)
	c.refused = expression(o.Config.Refused)
	if c.secret == nil {
		c.secret = func() (string, error) { return "", nil }
	}
	return c, nil
}

// expression compiles what Validate has seen; nil for none.
func expression(text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	return regexp.MustCompile(text)
}

// Close ends the connections that wait for the next message.
func (c *Channel) Close() error {
	c.client.Close()
	return nil
}

// Send hands the notice's short text to the gateway.
func (c *Channel) Send(ctx context.Context, n notify.Notice) error {
	text, segments, sevenBits := fit(n.Texts[n.Language].Short, c.config.MaxSegments)
	if text == "" {
		return fmt.Errorf("%w: no text in %q", notify.ErrPermanent, n.Language)
	}
	secret, err := c.secret()
	if err != nil {
		return err
	}
	request, err := c.request(fields{To: n.Address, Text: text, ID: n.Key(), Secret: secret, SevenBits: sevenBits})
	if err != nil {
		return err
	}
	reply, err := c.client.Do(ctx, request)
	if err != nil {
		return err
	}
	if err := c.judge(reply); err != nil {
		return err
	}
	c.metrics.sent(segments, sevenBits)
	return nil
}

func (c *Channel) request(f fields) (call.Request, error) {
	url, err := run(c.templates.url, f)
	if err != nil {
		return call.Request{}, err
	}
	body, err := run(c.templates.body, f)
	if err != nil {
		return call.Request{}, err
	}
	header, err := c.templates.header(f)
	if err != nil {
		return call.Request{}, err
	}
	if len(body) > 0 {
		header.Set("Content-Type", c.config.ContentType)
	}
	return call.Request{Method: c.config.Method, URL: url, Header: header, Body: []byte(body), Conceal: f.Secret}, nil
}

// judge tells by status and answer whether the gateway took the message.
func (c *Channel) judge(reply call.Reply) error {
	if c.refused != nil && c.refused.Match(reply.Body) {
		return fmt.Errorf("%w: %s", notify.ErrPermanent, reply.Quote())
	}
	if slices.Contains(c.config.Retry, reply.Status) {
		return reply.Again()
	}
	if err := reply.Err(); err != nil {
		return err
	}
	if c.success != nil && !c.success.Match(reply.Body) {
		return errors.New("the answer is not one of success: " + reply.Quote())
	}
	return nil
}
