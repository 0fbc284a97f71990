package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/notify/alertmanager"
	"github.com/imdad-telemetry/imdad/alerting/notify/email"
	"github.com/imdad-telemetry/imdad/alerting/notify/mqtt"
	"github.com/imdad-telemetry/imdad/alerting/notify/sms"
	"github.com/imdad-telemetry/imdad/alerting/notify/telegram"
	"github.com/imdad-telemetry/imdad/alerting/notify/webhook"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// channelsConfig is the section `channels`: the ways notices leave by. A
// channel is used when its address is given.
type channelsConfig struct {
	Email        email.Config              `yaml:"email"`
	Telegram     telegram.Config           `yaml:"telegram"`
	SMS          sms.Config                `yaml:"sms"`
	MQTT         mqtt.Config               `yaml:"mqtt"`
	Alertmanager alertmanager.Config       `yaml:"alertmanager"`
	Webhooks     map[string]webhook.Config `yaml:"webhooks"`
}

func defaultChannels() channelsConfig {
	return channelsConfig{
		Email: email.DefaultConfig(), Telegram: telegram.DefaultConfig(), SMS: sms.DefaultConfig(),
		MQTT: mqtt.DefaultConfig(), Alertmanager: alertmanager.DefaultConfig(), Webhooks: map[string]webhook.Config{},
	}
}

// The names of channels, as in the contacts of people.
const (
	emailName        = "email"
	telegramName     = "telegram"
	smsName          = "sms"
	mqttName         = "mqtt"
	alertmanagerName = "alertmanager"
	webhookPrefix    = "webhook-" // and the name that the configuration gives it
)

// channel is one way out: whether it is used, what its configuration must be,
// and how it is made.
type channel struct {
	name   string
	used   bool
	stream bool // to programs, not to persons
	key    string
	valid  func() error
	beside []beside
	make   func(channelParts) (notify.Channel, error)
}

// channelParts are what channels stand on.
type channelParts struct {
	texts      func(alarm.Alarm) (map[message.Language]message.Text, error)
	occurrence func(int64) (id string, ok bool)
	registerer prometheus.Registerer
}

// all lists every channel there is.
func (c *channelsConfig) all() []channel {
	list := []channel{
		{emailName, c.Email.Host != "", false, "email", c.Email.Validate, []beside{{"password", secretCheck(c.Email.Password)}, {"ca", c.Email.Check}}, func(channelParts) (notify.Channel, error) {
			return email.New(email.Options{Config: c.Email, Password: secret(c.Email.Password)})
		}},
		{telegramName, c.Telegram.Token != "", false, "telegram", c.Telegram.Validate, []beside{{"token", secretCheck(c.Telegram.Token)}}, func(p channelParts) (notify.Channel, error) {
			return telegram.New(telegram.Options{Config: c.Telegram, Token: secret(c.Telegram.Token), Alarm: p.occurrence})
		}},
		{smsName, c.SMS.URL != "", false, "sms", c.SMS.Validate, []beside{{"secret", secretCheck(c.SMS.Secret)}}, func(p channelParts) (notify.Channel, error) {
			return sms.New(sms.Options{Config: c.SMS, Secret: secret(c.SMS.Secret), Registerer: p.registerer})
		}},
		{mqttName, len(c.MQTT.Brokers) > 0, true, "mqtt", c.MQTT.Validate, []beside{{"password", secretCheck(c.MQTT.Password)}, {"tls", c.MQTT.TLS.Check}}, func(p channelParts) (notify.Channel, error) {
			return mqtt.New(mqtt.Options{Config: c.MQTT, Password: secret(c.MQTT.Password), Texts: p.texts})
		}},
		{alertmanagerName, len(c.Alertmanager.URLs) > 0, true, "alertmanager", c.Alertmanager.Validate, nil, func(p channelParts) (notify.Channel, error) {
			return alertmanager.New(alertmanager.Options{Config: c.Alertmanager, Texts: p.texts, Registerer: p.registerer})
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(c.Webhooks)) {
		hook := c.Webhooks[name]
		if hook.Timeout == 0 {
			hook.Timeout = webhook.DefaultConfig().Timeout
		}
		list = append(list, channel{webhookPrefix + name, true, true, "webhooks." + name, hook.Validate, []beside{{"secret", secretCheck(hook.Secret)}}, func(channelParts) (notify.Channel, error) {
			return webhook.New(webhook.Options{Config: hook, Secret: secret(hook.Secret)})
		}})
	}
	return list
}

// Validate reports every mistake in the channels that are used.
func (c *channelsConfig) Validate() error {
	var errs []error
	for _, ch := range c.all() {
		if ch.used {
			errs = append(errs, configs.Section(ch.key, ch.valid()))
		}
	}
	return errors.Join(errs...)
}

// names lists the channels in use.
func (c *channelsConfig) names() []string {
	var names []string
	for _, ch := range c.all() {
		if ch.used {
			names = append(names, ch.name)
		}
	}
	return names
}

// secrets lists the secrets of the channels other than webhooks.
func (c *channelsConfig) secrets() []*string {
	return []*string{&c.Email.Password, &c.Telegram.Token, &c.SMS.Secret, &c.MQTT.Password}
}

// open makes the channels in use. None of them connects before its first notice.
func (c *channelsConfig) open(p channelParts) ([]notify.Spec, error) {
	var specs []notify.Spec
	for _, ch := range c.all() {
		if !ch.used {
			continue
		}
		made, err := ch.make(p)
		if err != nil {
			return nil, fmt.Errorf("channels.%s: %w", ch.key, err)
		}
		specs = append(specs, notify.Spec{Name: ch.name, Channel: made, Stream: ch.stream})
	}
	return specs, nil
}

// texts returns what puts an alarm that stands into words, for channels that
// tell programs of it.
func texts(r *message.Renderer, registry func() *zone.Registry, now func() time.Time) func(alarm.Alarm) (map[message.Language]message.Text, error) {
	return func(a alarm.Alarm) (map[message.Language]message.Text, error) {
		out := make(map[message.Language]message.Text, len(message.Languages))
		content := message.Content{Type: message.Alarm, Alarms: []alarm.Alarm{a}, Now: now()}
		for _, l := range message.Languages {
			text, err := r.Render(content, l, registry().Location(a.City))
			if err != nil {
				return nil, fmt.Errorf("put %s into words: %w", a.ID, err)
			}
			out[l] = text
		}
		return out, nil
	}
}
