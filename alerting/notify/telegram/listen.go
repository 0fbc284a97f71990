package telegram

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/notify"
)

// batch bounds how many answers come at once, so that they fit into what is read of a reply: Telegram sends the whole
// message along, six bytes for each Arabic letter.
const batch = 20

// taker takes an acknowledgement and returns what to tell the person.
type taker = func(context.Context, notify.Acknowledgement) (string, error)

// Listen polls for presses of buttons until ctx ends or a request fails. What was pressed while nobody listened comes
// first. An update is confirmed to Telegram by the next poll only: one that a crash interrupts comes again.
func (c *Channel) Listen(ctx context.Context, take func(context.Context, notify.Acknowledgement) (string, error)) error {
	for {
		var updates []update
		err := c.bot.do(ctx, "getUpdates", getUpdates{
			Offset: c.offset, Limit: batch, Timeout: int(c.poll / time.Second), AllowedUpdates: []string{"callback_query"},
		}, &updates, c.poll)
		if err != nil {
			return err
		}
		for _, u := range updates {
			c.offset = u.ID + 1
			if u.Query == nil {
				continue
			}
			if err := c.pressed(ctx, *u.Query, take); err != nil {
				return err
			}
		}
	}
}

// pressed handles one press: acknowledge, tell the person, take the button away.
func (c *Channel) pressed(ctx context.Context, q callbackQuery, take taker) error {
	toast, done, err := c.acknowledge(ctx, q, take)
	answer := answerCallbackQuery{ID: q.ID, Text: cut(toast, maxToast), ShowAlert: !done}
	errs := []error{err, unlessPermanent(c.bot.do(ctx, "answerCallbackQuery", answer, nil, 0))}
	if done && q.Message != nil {
		edit := editMessageReplyMarkup{ChatID: q.Message.Chat.ID, MessageID: q.Message.ID, ReplyMarkup: q.Message.ReplyMarkup.without(q.Data)}
		errs = append(errs, unlessPermanent(c.bot.do(ctx, "editMessageReplyMarkup", edit, nil, 0)))
	}
	return errors.Join(errs...)
}

// acknowledge returns what to tell the person, whether the button has served, and what the operator should know.
func (c *Channel) acknowledge(ctx context.Context, q callbackQuery, take taker) (toast string, done bool, err error) {
	language := q.From.language()
	occurrence, idSum, ok := parseReference(q.Data)
	if !ok {
		return isOver.in(language), true, nil // of another version, or forged
	}
	id, ok := c.alarm(occurrence)
	if !ok || sum(id) != idSum {
		return isOver.in(language), true, nil
	}
	a := notify.Acknowledgement{Alarm: id, Occurrence: occurrence, Via: "telegram"}
	for _, a.Person = range q.people() {
		if toast, err = take(ctx, a); !errors.Is(err, notify.ErrStranger) {
			break
		}
	}
	switch {
	case errors.Is(err, notify.ErrStranger):
		return unknown.in(language), false, nil
	case err != nil:
		return failed.in(language), false, err
	}
	return toast, true, nil
}

// people are the addresses that the press may come from: the person's own, then the group's.
func (q callbackQuery) people() []string {
	own := strconv.FormatInt(q.From.ID, 10)
	if q.Message == nil || q.Message.Chat.ID == q.From.ID {
		return []string{own}
	}
	return []string{own, strconv.FormatInt(q.Message.Chat.ID, 10)}
}

// unlessPermanent passes over refusals: of a press too long ago to be answered, of a message that somebody has deleted or
// whose button another press took away. The acknowledgement stands all the same.
func unlessPermanent(err error) error {
	if errors.Is(err, notify.ErrPermanent) {
		return nil
	}
	return err
}
