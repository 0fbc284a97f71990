package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/notify/call"
)

// The requests and objects of the Bot API that are used, with those of their fields that are.
type (
	sendMessage struct {
		ChatID      any                `json:"chat_id"` // int64, or string for @channel
		Text        string             `json:"text"`
		ParseMode   string             `json:"parse_mode"`
		LinkPreview linkPreviewOptions `json:"link_preview_options"`
		ReplyMarkup *keyboard          `json:"reply_markup,omitempty"`
	}
	linkPreviewOptions struct {
		IsDisabled bool `json:"is_disabled"`
	}
	keyboard struct {
		Rows [][]button `json:"inline_keyboard"`
	}
	button struct {
		Text         string `json:"text"`
		CallbackData string `json:"callback_data,omitempty"`
	}
	getUpdates struct {
		Offset         int64    `json:"offset,omitempty"`
		Limit          int      `json:"limit"`
		Timeout        int      `json:"timeout"` // seconds
		AllowedUpdates []string `json:"allowed_updates"`
	}
	update struct {
		ID    int64          `json:"update_id"`
		Query *callbackQuery `json:"callback_query"`
	}
	callbackQuery struct {
		ID      string `json:"id"`
		From    user   `json:"from"`
		Message *sent  `json:"message"` // none when it is too old
		Data    string `json:"data"`
	}
	user struct {
		ID           int64  `json:"id"`
		LanguageCode string `json:"language_code"`
	}
	sent struct {
		ID          int64     `json:"message_id"`
		Chat        chat      `json:"chat"`
		ReplyMarkup *keyboard `json:"reply_markup"`
	}
	chat struct {
		ID int64 `json:"id"`
	}
	answerCallbackQuery struct {
		ID        string `json:"callback_query_id"`
		Text      string `json:"text,omitempty"`
		ShowAlert bool   `json:"show_alert,omitempty"`
	}
	editMessageReplyMarkup struct {
		ChatID      int64    `json:"chat_id"`
		MessageID   int64    `json:"message_id"`
		ReplyMarkup keyboard `json:"reply_markup"`
	}
	response struct {
		OK          bool            `json:"ok"`
		Result      json.RawMessage `json:"result"`
		ErrorCode   int             `json:"error_code"`
		Description string          `json:"description"`
		Parameters  struct {
			RetryAfter      int   `json:"retry_after"` // seconds
			MigrateToChatID int64 `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
)

// bot calls the methods of one bot.
type bot struct {
	api    string
	token  func() (string, error)
	client *call.Client
}

var tokens = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]+$`)

// do calls a method and decodes its result, if one is wanted. wait is how long the server may take on purpose.
func (b *bot) do(ctx context.Context, method string, params, result any, wait time.Duration) error {
	token, err := b.token()
	if err != nil {
		return err
	}
	if !tokens.MatchString(token) {
		return errors.New("the bot's token is not of the form 123456:ABC-DEF")
	}
	body, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	reply, err := b.client.Do(ctx, call.Request{
		Method: http.MethodPost, URL: strings.TrimSuffix(b.api, "/") + "/bot" + token + "/" + method,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Conceal: token, Extra: wait,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var r response
	if err := json.Unmarshal(reply.Body, &r); err != nil {
		return fmt.Errorf("%s: not an answer of the Bot API: %w", method, reply.Again()) // a proxy's, perhaps
	}
	if err := r.err(); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return fmt.Errorf("%s: decode the result: %w", method, err)
	}
	return nil
}

// err sorts refusals: 400 and 403 are about this message or chat (unknown, blocked, malformed), 429 says when to come
// back, and the rest (401 and 404 of a wrong token, 409 of a second listener, 5xx) may be mended.
func (r response) err() error {
	if r.OK {
		return nil
	}
	err := fmt.Errorf("error %d: %s", r.ErrorCode, r.Description)
	switch {
	case r.Parameters.MigrateToChatID != 0:
		return fmt.Errorf("%w: %w; the group is now %d", notify.ErrPermanent, err, r.Parameters.MigrateToChatID)
	case r.ErrorCode == http.StatusTooManyRequests:
		return call.After(time.Duration(r.Parameters.RetryAfter)*time.Second, err)
	case r.ErrorCode == http.StatusBadRequest || r.ErrorCode == http.StatusForbidden:
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	return err
}
