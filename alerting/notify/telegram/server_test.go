package telegram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

const token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"

// botAPI is a server made from the public description of the Bot API. What the description does not allow is answered as
// Telegram does, and fails the test unless it was expected.
type botAPI struct {
	t  *testing.T
	mu sync.Mutex
	// fails are answers to be given in place of the next ones, by method: a status and a body; status 0 hangs.
	fails    map[string][]fail
	messages []stored
	updates  []map[string]any
	news     chan struct{} // closed, and made anew, when an update arrives
	answers  map[string]answerCallbackQuery
	polling  bool
	calls    map[string]int
}

type fail struct {
	status int
	body   string
}

// stored is a message in a chat.
type stored struct {
	chat   json.Number
	text   string // as people see it
	markup keyboard
}

func startBotAPI(t *testing.T) (*botAPI, string) {
	t.Helper()
	b := &botAPI{t: t, fails: map[string][]fail{}, news: make(chan struct{}), answers: map[string]answerCallbackQuery{}, calls: map[string]int{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, server.URL
}

func (b *botAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	given, method, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	if given != token {
		refuse(w, 401, "Unauthorized", nil)
		return
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.RawQuery != "" {
		b.t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
	}
	b.mu.Lock()
	b.calls[method]++
	var planned *fail
	if f := b.fails[method]; len(f) > 0 {
		planned, b.fails[method] = &f[0], f[1:]
	}
	b.mu.Unlock()
	switch {
	case planned != nil && planned.status == 0:
		<-r.Context().Done()
	case planned != nil:
		w.WriteHeader(planned.status)
		_, _ = io.WriteString(w, planned.body)
	case method == "sendMessage":
		handle(b, w, body, b.sendMessage)
	case method == "getUpdates":
		handle(b, w, body, func(p getUpdates) (any, string) { return b.getUpdates(r, p) })
	case method == "answerCallbackQuery":
		handle(b, w, body, b.answer)
	case method == "editMessageReplyMarkup":
		handle(b, w, body, b.edit)
	default:
		refuse(w, 404, "Not Found", nil)
	}
}

// handle decodes strictly, calls the method, and answers with its result, or with 400 and what is wrong.
func handle[P any](b *botAPI, w http.ResponseWriter, body []byte, do func(P) (any, string)) {
	var params P
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(&params); err != nil {
		b.t.Errorf("%s: %v", body, err)
		refuse(w, 400, "Bad Request: "+err.Error(), nil)
		return
	}
	result, wrong := do(params)
	if wrong != "" {
		refuse(w, 400, "Bad Request: "+wrong, nil)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result})
}

func refuse(w http.ResponseWriter, code int, description string, parameters map[string]any) {
	w.WriteHeader(code)
	_, _ = io.WriteString(w, refusal(code, description, parameters))
}

func refusal(code int, description string, parameters map[string]any) string {
	answer := map[string]any{"ok": false, "error_code": code, "description": description}
	if parameters != nil {
		answer["parameters"] = parameters
	}
	raw, _ := json.Marshal(answer)
	return string(raw)
}

var (
	tags     = regexp.MustCompile(`</?b>`)
	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

func (b *botAPI) sendMessage(p sendMessage) (any, string) {
	id, isNumber := p.ChatID.(json.Number)
	if _, isName := p.ChatID.(string); !isNumber && !isName {
		return nil, "chat_id must be Integer or String"
	}
	if p.ParseMode != "HTML" || strings.Count(p.Text, "<b>") != strings.Count(p.Text, "</b>") {
		return nil, "can't parse entities"
	}
	bare := tags.ReplaceAllString(p.Text, "")
	if strings.ContainsAny(bare, "<>") || strings.Contains(strings.NewReplacer("&lt;", "", "&gt;", "", "&amp;", "").Replace(bare), "&") {
		return nil, "can't parse entities"
	}
	text := entities.Replace(bare)
	if n := len(utf16.Encode([]rune(text))); n == 0 || n > 4096 {
		return nil, fmt.Sprintf("message is too long: %d", n)
	}
	m := stored{chat: id, text: text}
	if p.ReplyMarkup != nil {
		for _, row := range p.ReplyMarkup.Rows {
			for _, button := range row {
				if button.Text == "" || len(button.CallbackData) < 1 || len(button.CallbackData) > 64 {
					return nil, "BUTTON_DATA_INVALID"
				}
			}
		}
		m.markup = *p.ReplyMarkup
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	return map[string]any{"message_id": len(b.messages), "chat": map[string]any{"id": id}, "text": text}, ""
}

func (b *botAPI) getUpdates(r *http.Request, p getUpdates) (any, string) {
	if p.Limit < 1 || p.Limit > 100 || p.Timeout < 0 || !slices.Equal(p.AllowedUpdates, []string{"callback_query"}) {
		b.t.Errorf("getUpdates %+v", p)
	}
	b.mu.Lock()
	if b.polling {
		b.t.Error("two listeners at once")
	}
	b.polling = true
	b.mu.Unlock()
	defer func() { b.mu.Lock(); b.polling = false; b.mu.Unlock() }()
	deadline := time.After(time.Duration(p.Timeout) * time.Second)
	for {
		b.mu.Lock()
		b.updates = slices.DeleteFunc(b.updates, func(u map[string]any) bool { return u["update_id"].(int64) < p.Offset })
		due, news := slices.Clone(b.updates[:min(len(b.updates), p.Limit)]), b.news
		b.mu.Unlock()
		if len(due) > 0 {
			return due, ""
		}
		select {
		case <-news:
		case <-deadline:
			return []any{}, ""
		case <-r.Context().Done():
			return []any{}, ""
		}
	}
}

func (b *botAPI) answer(p answerCallbackQuery) (any, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, again := b.answers[p.ID]; again || !strings.HasPrefix(p.ID, "query-") {
		return nil, "query is too old and response timeout expired or query ID is invalid"
	}
	if len([]rune(p.Text)) > 200 {
		return nil, "MESSAGE_TOO_LONG"
	}
	b.answers[p.ID] = p
	return true, ""
}

func (b *botAPI) edit(p editMessageReplyMarkup) (any, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.MessageID < 1 || int(p.MessageID) > len(b.messages) || fmt.Sprint(p.ChatID) != b.messages[p.MessageID-1].chat.String() {
		return nil, "message to edit not found"
	}
	m := &b.messages[p.MessageID-1]
	if fmt.Sprint(m.markup.Rows) == fmt.Sprint(p.ReplyMarkup.Rows) {
		return nil, "message is not modified"
	}
	m.markup = p.ReplyMarkup
	return map[string]any{"message_id": p.MessageID}, ""
}

// press lets somebody press a button of a message (counted from 1); data overrides the button's.
func (b *botAPI) press(updateID int64, from map[string]any, messageID int, data string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[messageID-1]
	b.updates = append(b.updates, map[string]any{"update_id": updateID, "callback_query": map[string]any{
		"id": fmt.Sprintf("query-%d", updateID), "from": from, "chat_instance": "1", "data": data,
		"message": map[string]any{"message_id": messageID, "chat": map[string]any{"id": m.chat}, "date": 1763895600, "text": m.text, "reply_markup": m.markup},
	}})
	close(b.news)
	b.news = make(chan struct{})
}

func (b *botAPI) message(n int) stored {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.messages[n-1]
}

// wait waits until what is looked for holds.
func (b *botAPI) wait(what string, ok func() bool) {
	b.t.Helper()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(30 * time.Second)
	for {
		b.mu.Lock()
		done := ok()
		b.mu.Unlock()
		if done {
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}
