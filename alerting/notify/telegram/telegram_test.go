package telegram

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func standing(object string, occurrence int64) alarm.Alarm {
	key := rule.Key{Kind: "elec.outage", Object: object}
	return alarm.Alarm{ID: key.ID(), Key: key, State: alarm.Unacknowledged, Occurrence: occurrence}
}

func notice(to string, alarms ...alarm.Alarm) notify.Notice {
	return notify.Notice{
		ID: 1, Address: to, Person: "rima", Language: message.Arabic,
		Content: message.Content{Type: message.Alarm, Alarms: alarms},
		Texts: map[message.Language]message.Text{message.Arabic: {
			Subject: "انقطاع التيار الكهربائي عن \u2068<F-12> & F-13\u2069", Plain: "منذ 10:15\n\nV < 5 %\n",
		}},
	}
}

// alarms finds alarms by occurrence.
func alarms(all ...alarm.Alarm) func(int64) (string, bool) {
	return func(occurrence int64) (string, bool) {
		for _, a := range all {
			if a.Occurrence == occurrence {
				return a.ID, true
			}
		}
		return "", false
	}
}

func open(t *testing.T, api string, find func(int64) (string, bool), mutate func(*Options)) *Channel {
	t.Helper()
	o := Options{Config: DefaultConfig(), Alarm: find, Token: func() (string, error) { return token, nil }}
	o.Config.API, o.Config.Token = api, "${TOKEN}"
	if mutate != nil {
		mutate(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSend(t *testing.T) {
	t.Parallel()
	server, url := startBotAPI(t)
	c := open(t, url, alarms(), nil)
	acknowledged := standing("F-14", 12)
	acknowledged.State = alarm.Acknowledged
	for _, n := range []notify.Notice{
		notice("987654321", standing("F-12", 9_000_000_000_000)),
		notice("-100123456", standing("F-12", 10), standing("F-13", 11), acknowledged),
		notice("987654321", acknowledged),
	} {
		if err := c.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	single, group, none := server.message(1), server.message(2), server.message(3)
	if single.chat != "987654321" || single.text != "انقطاع التيار الكهربائي عن \u2068<F-12> & F-13\u2069\n\nمنذ 10:15\n\nV < 5 %" {
		t.Errorf("message %+v", single)
	}
	if len(single.markup.Rows) != 1 || single.markup.Rows[0][0].Text != "تأكيد الاستلام" {
		t.Errorf("buttons %+v", single.markup)
	}
	if group.chat != "-100123456" || len(group.markup.Rows) != 2 || group.markup.Rows[1][0].Text != "تأكيد الاستلام: \u2068F-13\u2069" {
		t.Errorf("group %+v", group)
	}
	if len(none.markup.Rows) != 0 {
		t.Errorf("an acknowledged alarm has %+v", none.markup)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	t.Parallel()
	server, url := startBotAPI(t)
	n := notice("1", standing("F-12", 9))
	var many []alarm.Alarm
	for i := range 30 {
		many = append(many, standing(strings.Repeat("x", 64), int64(i+1)))
	}
	n.Content.Alarms = many
	n.Texts[message.Arabic] = message.Text{Subject: strings.Repeat("م😀", 2000), Plain: strings.Repeat("<&😀", 3000)}
	if err := open(t, url, alarms(), nil).Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if m := server.message(1); !strings.HasSuffix(m.text, "…") || units(m.text) < maxText-2 || len(m.markup.Rows) != maxButtons {
		t.Errorf("%d units, %d buttons", units(m.text), len(m.markup.Rows))
	}
}

func TestSendFailures(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	n := notice("1", standing("F-12", 9))
	for _, c := range []struct {
		name      string
		fail      fail
		permanent bool
		after     time.Duration
		want      string
	}{
		{"flood", fail{429, refusal(429, "Too Many Requests: retry after 14", map[string]any{"retry_after": 14})}, false, 14 * time.Second, "429"},
		{"blocked", fail{403, refusal(403, "Forbidden: bot was blocked by the user", nil)}, true, 0, "blocked by the user"},
		{"unknown chat", fail{400, refusal(400, "Bad Request: chat not found", nil)}, true, 0, "chat not found"},
		{"moved", fail{400, refusal(400, "Bad Request: group chat was upgraded", map[string]any{"migrate_to_chat_id": -100777})}, true, 0, "-100777"},
		{"revoked token", fail{401, refusal(401, "Unauthorized", nil)}, false, 0, "401"},
		{"broken", fail{502, "<html>Bad Gateway</html>"}, false, 0, "Bad Gateway"},
		{"hangs", fail{}, false, 0, "deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, url := startBotAPI(t)
			server.fails["sendMessage"] = []fail{c.fail}
			channel := open(t, url, alarms(), func(o *Options) { o.Config.Timeout = time.Second })
			err := channel.Send(t.Context(), n)
			later, _ := errors.AsType[*notify.Later](err)
			if err == nil || errors.Is(err, notify.ErrPermanent) != c.permanent || !strings.Contains(err.Error(), c.want) ||
				(later != nil) != (c.after > 0) || later != nil && later.After != c.after {
				t.Errorf("err = %v, want %q, permanent %t, after %v", err, c.want, c.permanent, c.after)
			}
			hidesToken(t, err)
			if err := channel.Send(t.Context(), n); err != nil {
				t.Errorf("the next attempt: %v", err)
			}
		})
	}
	err := open(t, closed.URL, alarms(), nil).Send(t.Context(), n)
	if err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("refused connection: %v", err)
	}
	hidesToken(t, err)
	for _, address := range []string{"", "rima", "+963944"} {
		bad := n
		bad.Address = address
		if err := open(t, closed.URL, alarms(), nil).Send(t.Context(), bad); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("to %q: %v", address, err)
		}
	}
	for _, bad := range []string{"", token + "/../x", "secret\n"} {
		c := open(t, closed.URL, alarms(), func(o *Options) { o.Token = func() (string, error) { return bad, nil } })
		err := c.Send(t.Context(), n)
		if err == nil || !strings.Contains(err.Error(), "not of the form") {
			t.Errorf("token %q: %v", bad, err)
		}
		hidesToken(t, err)
	}
}

func hidesToken(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "ABC-DEF1234") {
		t.Errorf("the token stands in: %v", err)
	}
}

// crew takes acknowledgements of one person and one group.
type crew struct {
	got  []notify.Acknowledgement
	fail error
}

func (c *crew) take(_ context.Context, a notify.Acknowledgement) (string, error) {
	if a.Person != "987654321" && a.Person != "-100123456" {
		return "", notify.ErrStranger
	}
	if c.fail != nil {
		err := c.fail
		c.fail = nil
		return "", err
	}
	c.got = append(c.got, a)
	return "شكراً", nil
}

// listen runs Listen until the test ends, and again when it returns early, as the notifier does.
func listen(t *testing.T, c *Channel, take taker) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			hidesToken(t, c.Listen(ctx, take))
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

func TestPressesAreAcknowledged(t *testing.T) {
	t.Parallel()
	server, url := startBotAPI(t)
	first, second := standing("F-12", 9), standing("F-13", 10)
	c := open(t, url, alarms(first, second), nil)
	for _, n := range []notify.Notice{notice("987654321", first, second), notice("-100123456", first)} {
		if err := c.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	rima, member := map[string]any{"id": 987654321, "language_code": "ar"}, map[string]any{"id": 5, "language_code": "en"}
	crew := &crew{fail: errors.New("disk full")}
	server.press(501, rima, 1, reference(first)) // fails
	server.press(502, rima, 1, reference(first)) // pressed again
	server.press(503, rima, 1, reference(first)) // and once too often: the button is gone from the message, not from all screens
	listen(t, c, crew.take)
	server.wait("three answers", func() bool { return len(server.answers) == 3 })
	server.press(504, member, 2, reference(first))
	stranger := map[string]any{"id": 6, "language_code": "en"}
	server.wait("the group's answer", func() bool { return len(server.answers) == 4 })
	server.mu.Lock()
	server.messages = append(server.messages, stored{chat: "6", markup: keyboard{Rows: [][]button{{{"x", reference(first)}}}}})
	server.mu.Unlock()
	server.press(505, stranger, 3, reference(first))
	server.press(506, rima, 1, reference(standing("F-12", 99)))    // over
	server.press(507, rima, 1, reference(standing("another", 10))) // the number of one alarm, the id of another
	server.press(508, rima, 1, "ack:forged")
	server.wait("all answers, and confirmation", func() bool { return len(server.answers) == 8 && len(server.updates) == 0 })

	want := []notify.Acknowledgement{
		{Alarm: first.ID, Occurrence: 9, Person: "987654321", Via: "telegram"},
		{Alarm: first.ID, Occurrence: 9, Person: "987654321", Via: "telegram"},
		{Alarm: first.ID, Occurrence: 9, Person: "-100123456", Via: "telegram"},
	}
	if len(crew.got) != len(want) {
		t.Fatalf("took %+v", crew.got)
	}
	for i := range want {
		if crew.got[i] != want[i] {
			t.Errorf("took %+v, want %+v", crew.got[i], want[i])
		}
	}
	for id, text := range map[string]string{
		"query-501": failed.ar, "query-502": "شكراً", "query-504": "شكراً", "query-505": unknown.en,
		"query-506": isOver.ar, "query-507": isOver.ar, "query-508": isOver.ar,
	} {
		if a := server.answers[id]; a.Text != text || a.ShowAlert != (id == "query-501" || id == "query-505") {
			t.Errorf("%s was told %+v, want %q", id, a, text)
		}
	}
	if m := server.message(1); len(m.markup.Rows) != 1 || m.markup.Rows[0][0].CallbackData != reference(second) {
		t.Errorf("what is left under the message: %+v", m.markup)
	}
	if m := server.message(2); len(m.markup.Rows) != 0 {
		t.Errorf("what is left in the group: %+v", m.markup)
	}
	if m := server.message(3); len(m.markup.Rows) != 1 {
		t.Errorf("a stranger took the button away: %+v", m.markup)
	}
}

func TestListenReportsFailures(t *testing.T) {
	t.Parallel()
	server, url := startBotAPI(t)
	server.fails["getUpdates"] = []fail{
		{409, refusal(409, "Conflict: terminated by other getUpdates request", nil)},
		{429, refusal(429, "Too Many Requests", map[string]any{"retry_after": 3})},
	}
	c := open(t, url, alarms(), nil)
	if err := c.Listen(t.Context(), (&crew{}).take); err == nil || !strings.Contains(err.Error(), "Conflict") {
		t.Errorf("err = %v", err)
	}
	if later, ok := errors.AsType[*notify.Later](c.Listen(t.Context(), (&crew{}).take)); !ok || later.After != 3*time.Second {
		t.Errorf("later = %v", later)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Listen(ctx, (&crew{}).take) }()
	server.wait("a poll", func() bool { return server.polling })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	a := standing(strings.Repeat("x", 64), 1<<62)
	a.ID = strings.Repeat("y", 300)
	data := reference(a)
	occurrence, idSum, ok := parseReference(data)
	if len(data) > 64 || !ok || occurrence != a.Occurrence || idSum != sum(a.ID) {
		t.Errorf("%q: %d, %q, %t", data, occurrence, idSum, ok)
	}
	for _, bad := range []string{"", "ack", "ack:1", "ack::x", "ack:-1:x", "ack:0:x", "ack:!:x", "no:1:x", "ack:1:x:y"} {
		if _, _, ok := parseReference(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		mutate func(*Config)
		want   string
	}{
		{"complete", func(*Config) {}, ""},
		{"token", func(c *Config) { c.Token = "" }, "token: missing"},
		{"api", func(c *Config) { c.API = "api.telegram.org" }, "api: give"},
		{"poll", func(c *Config) { c.Poll = 0 }, "poll: 0s"},
		{"timeout", func(c *Config) { c.Timeout = time.Hour }, "timeout: 1h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.Token = "${TOKEN}"
			c.mutate(&config)
			err := config.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}
