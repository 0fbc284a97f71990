package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const botToken = "123456:ABC-DEF"

// bot is as much of Telegram's Bot API as one chat with buttons needs. The
// channel's own tests judge every request; this one lets somebody answer.
type bot struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	messages []botMessage
	pressed  []any // updates that wait to be fetched
	news     chan struct{}
}

type botMessage struct {
	ChatID      int64  `json:"chat_id"`
	Text        string `json:"text"`
	ReplyMarkup struct {
		Rows [][]struct {
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

func openBot(t *testing.T) *bot {
	b := &bot{t: t, news: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /bot"+botToken+"/sendMessage", b.send)
	mux.HandleFunc("POST /bot"+botToken+"/getUpdates", b.updates)
	done := func(w http.ResponseWriter, _ *http.Request) { b.answer(w, true) }
	mux.HandleFunc("POST /bot"+botToken+"/answerCallbackQuery", done)
	mux.HandleFunc("POST /bot"+botToken+"/editMessageReplyMarkup", done)
	b.server = httptest.NewServer(mux)
	t.Cleanup(b.server.Close)
	return b
}

func (b *bot) answer(w http.ResponseWriter, result any) {
	if err := json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result}); err != nil {
		b.t.Error(err)
	}
}

func (b *bot) send(w http.ResponseWriter, r *http.Request) {
	var m botMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		b.t.Error(err)
	}
	b.mu.Lock()
	b.messages = append(b.messages, m)
	n := len(b.messages)
	b.mu.Unlock()
	b.answer(w, map[string]any{"message_id": n, "chat": map[string]any{"id": m.ChatID}})
}

// updates answers when a button was pressed, or some time later without news.
func (b *bot) updates(w http.ResponseWriter, r *http.Request) {
	select {
	case <-b.news:
	case <-r.Context().Done():
		return
	case <-time.After(time.Second):
	}
	b.mu.Lock()
	due := append([]any{}, b.pressed...)
	b.pressed = nil
	b.mu.Unlock()
	b.answer(w, due)
}

// press presses the first button under the message that has a text in it, if
// that has come.
func (b *bot) press(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range b.messages {
		if bare := strings.NewReplacer("\u2068", "", "\u2069", "").Replace(m.Text); !strings.Contains(bare, text) || len(m.ReplyMarkup.Rows) == 0 {
			continue
		}
		b.pressed = append(b.pressed, map[string]any{"update_id": i + 1, "callback_query": map[string]any{
			"id": "query", "from": map[string]any{"id": m.ChatID}, "data": m.ReplyMarkup.Rows[0][0].Data,
			"message": map[string]any{"message_id": i + 1, "chat": map[string]any{"id": m.ChatID}, "text": m.Text, "reply_markup": m.ReplyMarkup},
		}})
		b.news <- struct{}{}
		return true
	}
	return false
}
