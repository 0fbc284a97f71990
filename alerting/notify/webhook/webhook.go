package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/notify/call"
)

// Options is what a channel is made of.
type Options struct {
	Config Config
	// Secret returns what Config.Secret stands for; it is asked before each attempt.
	Secret func() (string, error)
	// Now is the real time, which receivers hold timestamps against; nil: time.Now.
	Now func() time.Time
}

// Channel posts to one address. It is a stream: see notify.Spec.
type Channel struct {
	url    string
	secret func() (string, error)
	now    func() time.Time
	client *call.Client
}

// New checks the configuration; it does not call the receiver.
func New(o Options) (*Channel, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Secret == nil {
		return nil, errors.New("webhook: no secret given")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Channel{url: o.Config.URL, secret: o.Secret, now: o.Now, client: call.New(o.Config.Timeout)}, nil
}

// Close ends the connection that waits for the next notice.
func (c *Channel) Close() error {
	c.client.Close()
	return nil
}

// Send posts the notice.
func (c *Channel) Send(ctx context.Context, n notify.Notice) error {
	body, err := json.Marshal(payload(n))
	if err != nil {
		return fmt.Errorf("%w: encode the notice: %w", notify.ErrPermanent, err)
	}
	secret, err := c.secret()
	if err != nil {
		return err
	}
	if secret == "" {
		return errors.New("sign the notice: the secret is empty")
	}
	stamp := strconv.FormatInt(c.now().Unix(), 10)
	reply, err := c.client.Do(ctx, call.Request{
		Method: http.MethodPost, URL: c.url, Body: body,
		Header: http.Header{
			"Content-Type":  {"application/json"},
			TimestampHeader: {stamp},
			SignatureHeader: {scheme + sign(secret, stamp, body)},
			KeyHeader:       {n.Key()},
		},
	})
	if err != nil {
		return err
	}
	return reply.Err()
}
