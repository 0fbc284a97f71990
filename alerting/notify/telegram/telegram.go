package telegram

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/notify/call"
)

// Options is what a channel is made of.
type Options struct {
	Config Config
	// Token returns what Config.Token stands for; it is asked before each request.
	Token func() (string, error)
	// Alarm returns the id of the standing alarm of an occurrence; false: it is over. It is called from Listen's
	// goroutine.
	Alarm func(occurrence int64) (id string, ok bool)
}

// Channel is one bot. Send and Listen may run at the same time.
type Channel struct {
	bot    bot
	poll   time.Duration
	alarm  func(int64) (string, bool)
	offset int64 // of the next update; Listen's. Telegram keeps what was not asked for with a higher one, for a day
}

// New checks the configuration; it does not call Telegram.
func New(o Options) (*Channel, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Token == nil || o.Alarm == nil {
		return nil, errors.New("telegram: no token, or no way to find alarms, given")
	}
	return &Channel{
		bot:  bot{api: o.Config.API, token: o.Token, client: call.New(o.Config.Timeout)},
		poll: o.Config.Poll, alarm: o.Alarm,
	}, nil
}

// Close ends the connections that wait for the next request.
func (c *Channel) Close() error {
	c.bot.client.Close()
	return nil
}

// Send hands the notice to Telegram.
func (c *Channel) Send(ctx context.Context, n notify.Notice) error {
	text, ok := n.Texts[n.Language]
	if !ok {
		return fmt.Errorf("%w: no text in %q", notify.ErrPermanent, n.Language)
	}
	to, err := chatID(n.Address)
	if err != nil {
		return err
	}
	return c.bot.do(ctx, "sendMessage", sendMessage{
		ChatID: to, Text: html(text), ParseMode: "HTML",
		LinkPreview: linkPreviewOptions{IsDisabled: true}, ReplyMarkup: buttons(n),
	}, nil, 0)
}

// chatID is a number, negative for groups, or the @name of a public channel.
func chatID(address string) (any, error) {
	if id, err := strconv.ParseInt(address, 10, 64); err == nil && address[0] != '+' { // which is a phone's
		return id, nil
	}
	if strings.HasPrefix(address, "@") {
		return address, nil
	}
	return nil, fmt.Errorf("%w: %q is no chat; give the number that the bot sees, or @channel", notify.ErrPermanent, address)
}
