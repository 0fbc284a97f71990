package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/notify/call"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// maxBatch is how many alerts go into a request, as in Prometheus.
const maxBatch = 256

// Options is what a channel is made of.
type Options struct {
	Config Config
	// Texts puts an alarm that stands into words, in both languages.
	Texts func(alarm.Alarm) (map[message.Language]message.Text, error)
	// Now is the real time; nil: time.Now.
	Now func() time.Time
	// Registerer takes the channel's metrics.
	Registerer prometheus.Registerer
}

func (o *Options) validate() error {
	if err := o.Config.Validate(); err != nil {
		return err
	}
	if o.Texts == nil {
		return errors.New("alertmanager: no texts given")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Channel tells all instances. It is a stream, and a notify.Refresher.
type Channel struct {
	config    Config
	texts     func(alarm.Alarm) (map[message.Language]message.Text, error)
	now       func() time.Time
	client    *call.Client
	instances []instance
	// told is the severity that a standing alarm was last sent with, by its id. Send and Refresh are called from one
	// goroutine.
	told map[string]rule.Severity
}

// New checks the configuration; it does not call the instances.
func New(o Options) (*Channel, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	requests, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register the metrics: %w", err)
	}
	c := &Channel{config: o.Config, texts: o.Texts, now: o.Now, client: call.New(o.Config.Timeout), told: make(map[string]rule.Severity)}
	for _, address := range o.Config.URLs {
		c.instances = append(c.instances, newInstance(address, requests))
	}
	return c, nil
}

// Close ends the connections that wait for the next request.
func (c *Channel) Close() error {
	c.client.Close()
	return nil
}

// Every is how often Refresh wants to be called.
func (c *Channel) Every() time.Duration { return c.config.Resend }

// Send tells of the alarms of one notice. It succeeds when one instance took them.
func (c *Channel) Send(ctx context.Context, n notify.Notice) error {
	now := c.now()
	var alerts []alert
	for _, a := range n.Content.Alarms {
		alerts = append(alerts, c.update(a, n.Texts, now)...)
	}
	if err := c.post(ctx, alerts); err != nil {
		return err
	}
	for _, a := range n.Content.Alarms {
		c.remember(a)
	}
	return nil
}

// Refresh tells of all alarms that stand.
func (c *Channel) Refresh(ctx context.Context, standing []alarm.Alarm) error {
	now := c.now()
	var alerts []alert
	for _, a := range standing {
		texts, err := c.texts(a)
		if err != nil {
			return fmt.Errorf("put %s into words: %w", a.ID, err)
		}
		alerts = append(alerts, c.update(a, texts, now)...)
	}
	for batch := range slices.Chunk(alerts, maxBatch) {
		if err := c.post(ctx, batch); err != nil {
			return err
		}
	}
	for _, a := range standing {
		c.remember(a)
	}
	return nil
}

// update is the alert of an alarm, after the end of the one of its former severity.
func (c *Channel) update(a alarm.Alarm, texts map[message.Language]message.Text, now time.Time) []alert {
	current := c.alert(a, texts, now)
	if was, known := c.told[a.ID]; known && was != a.Severity {
		return []alert{former(current, was, now), current}
	}
	return []alert{current}
}

func (c *Channel) remember(a alarm.Alarm) {
	if notify.Over(a) {
		delete(c.told, a.ID)
		return
	}
	c.told[a.ID] = a.Severity
}

// post sends alerts to every instance at once, and fails when none took them.
func (c *Channel) post(ctx context.Context, alerts []alert) error {
	if len(alerts) == 0 {
		return nil
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return fmt.Errorf("%w: encode the alerts: %w", notify.ErrPermanent, err)
	}
	errs := make([]error, len(c.instances))
	var all sync.WaitGroup
	for i := range c.instances {
		all.Go(func() { errs[i] = c.instances[i].post(ctx, c.client, body) })
	}
	all.Wait()
	return verdict(errs)
}

// verdict is nil if one instance took the alerts, and for good only if all refused them so.
func verdict(errs []error) error {
	refused := 0
	for _, err := range errs {
		if err == nil {
			return nil
		}
		if errors.Is(err, notify.ErrPermanent) {
			refused++
		}
	}
	joined := errors.Join(errs...)
	if refused > 0 && refused < len(errs) {
		return errors.New(strings.ReplaceAll(joined.Error(), "\n", "; "))
	}
	return joined
}

// instance is one Alertmanager.
type instance struct {
	url            string
	host           string
	stored, failed prometheus.Counter
}

func (i instance) post(ctx context.Context, client *call.Client, body []byte) error {
	reply, err := client.Do(ctx, call.Request{
		Method: http.MethodPost, URL: i.url, Body: body, Header: http.Header{"Content-Type": {"application/json"}},
	})
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		i.failed.Inc()
		return fmt.Errorf("tell %s: %w", i.host, err)
	}
	i.stored.Inc()
	return nil
}
