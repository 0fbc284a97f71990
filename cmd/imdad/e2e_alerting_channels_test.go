package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/notify/mqtt"
	"github.com/imdad-telemetry/imdad/alerting/notify/webhook"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

const (
	channelsPeople = `people:
  - {id: amal, name: {en: Amal, ar: أمل}, role: zone_manager, zones: [z1], contacts: {email: amal@example.org}}
  - {id: basem, name: {en: Basem, ar: باسم}, role: utility, language: en, cities: [town], contacts: {sms: "+2"}}
  - {id: tariq, name: {en: Tariq, ar: طارق}, role: zone_manager, zones: [z1], contacts: {telegram: "77"}}
routes:
  - {name: all, roles: [zone_manager, utility], group_by: [kind, object], group_wait: 0s}
`
	alertmanagerRouting = `route: {receiver: none, group_by: [zone], group_wait: 1s, group_interval: 1s}
receivers: [{name: none}]
`
)

// channels is a town whose service speaks over every channel that there is, and
// over one of each kind of stream that is dead.
type channels struct {
	*town
	post     *post
	bot      *bot
	mailDir  string
	managers []*peers.Process
}

func openChannels(t *testing.T) *channels {
	c := &channels{post: openPost(t), bot: openBot(t), mailDir: t.TempDir()}
	dead, err := peers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	face, err := peers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	smtp, err := peers.StartSMTP(t.Context(), peers.SMTPOptions{Dir: c.mailDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smtp.Kill() }) // it has no state
	urls := []string{"http://" + dead}
	for range 2 {
		p, err := peers.StartAlertmanager(t.Context(), peers.AlertmanagerOptions{Dir: t.TempDir(), Config: alertmanagerRouting})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Kill() }) // nor it that matters
		c.managers, urls = append(c.managers, p), append(urls, "http://"+p.Addr())
	}
	host, port, _ := strings.Cut(smtp.Addr(), ":")
	c.town = newTown(t, channelsPeople, func(w *town) {
		w.config.HTTP.Listen, w.config.Alerting.PublicURL = face, "http://"+face
		o := &w.config.Channels
		c.post.serve(o)
		gone := webhook.DefaultConfig()
		gone.URL, gone.Secret = "http://"+dead+"/hook", hookSecret
		o.Webhooks["gone"] = gone
		o.Email.Host, o.Email.From, o.Email.TLS = host, "Imdad <imdad@example.org>", "none"
		o.Email.Port, err = strconv.Atoi(port)
		w.must("read the port", err)
		o.Alertmanager.URLs, o.Alertmanager.Resend = urls, time.Second
		o.MQTT.Brokers = []string{"tcp://" + w.broker.Addr()}
		o.Telegram.API, o.Telegram.Token = c.bot.server.URL, botToken
	})
	return c
}

// TestE2EAlarmChannels sends alarms over all channels to real servers, lets
// people answer by mail and by Telegram, and ends them. The streams that are
// dead hold nothing up.
func TestE2EAlarmChannels(t *testing.T) {
	t.Parallel()
	c := openChannels(t)
	c.open()
	c.set(off, "f01", "f02")
	one, two := outageOf("f01"), outageOf("f02")
	c.wait("two outages", func() (string, error) { return c.standing(one+stands, two+stands) })

	c.wait("the stream and the SMS", func() (string, error) {
		n := c.post.received()
		if n["hook"] >= 2 && n["+2"] >= 2 {
			return "", nil
		}
		return fmt.Sprint(n), nil
	})
	c.eventually("alarms on MQTT", func() (bool, error) {
		told := c.retained()
		var p mqtt.Payload
		err := json.Unmarshal(told["imdad/alarm/v1/z1/"+one], &p)
		return len(told) == 2 && err == nil && p.State == alarm.Unacknowledged && p.Texts["en"].Subject != "" && p.Texts["ar"].Subject != "", nil
	})
	for _, m := range c.managers {
		c.waitGroup(m, 2)
	}
	c.answerMail(one)
	c.answerBot(two)
	c.wait("two answers", func() (string, error) { return c.standing(one+isAcked, two+isAcked) })
	for _, l := range c.journal() {
		if by := map[string]string{one: "amal email", two: "tariq telegram"}[l.Alarm.ID]; l.Event == alarm.Acknowledge && l.By+" "+l.Via != by {
			t.Errorf("%s was acknowledged by %s via %s", l.Alarm.ID, l.By, l.Via)
		}
	}

	c.set(on, "f01", "f02")
	c.wait("the end", func() (string, error) { return c.standing() })
	c.eventually("topics that are cleared", func() (bool, error) { return len(c.retained()) == 0, nil })
	for _, m := range c.managers {
		c.waitGroup(m, 0)
	}
	_, page, err := c.get("/metrics")
	c.must("read the metrics", err)
	if n := value(page, `imdad_notice_queue{channel="webhook-gone"}`); n < 6 {
		t.Errorf("%v notices wait for the dead stream", n)
	}
	c.waitAlarmPoints()
	if c.count("supply", "required") == 0 {
		t.Error("no derived series in the database")
	}
}

// retained is what a newcomer to the broker hears of alarms, by topic.
func (c *channels) retained() map[string][]byte {
	c.t.Helper()
	heard, told := make(chan paho.Message, 100), make(map[string][]byte)
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + c.broker.Addr()).SetClientID("newcomer"))
	c.await(client.Connect())
	defer client.Disconnect(100)
	// What is retained comes before the answer to a later request.
	c.await(client.Subscribe(mqtt.Prefix+"#", 1, func(_ paho.Client, m paho.Message) { heard <- m }))
	c.await(client.Subscribe("end", 1, func(_ paho.Client, m paho.Message) { heard <- m }))
	c.await(client.Publish("end", 1, false, "end"))
	for {
		select {
		case m := <-heard:
			if m.Topic() == "end" {
				return told
			}
			if m.Retained() {
				told[m.Topic()] = m.Payload()
			}
		case <-time.After(happensWithin):
			c.t.Fatal("the broker does not answer")
		}
	}
}

// waitGroup waits until an Alertmanager has so many alerts of the zone, in one
// group, and its own client says the same.
func (c *channels) waitGroup(m *peers.Process, alerts int) {
	c.t.Helper()
	c.wait("alerts in one group", func() (string, error) {
		out, err := peers.Amtool(c.t.Context(), m.Addr(), "alert", "query", "--output=extended", "zone=z1")
		if err != nil {
			return "", err
		}
		if n := strings.Count(out, "elec.outage:f0"); n != alerts {
			return fmt.Sprintf("%d alerts:\n%s", n, out), nil
		}
		res, err := c.client.Get("http://" + m.Addr() + "/api/v2/alerts/groups")
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		var groups []struct {
			Labels map[string]string
			Alerts []struct{ Labels map[string]string }
		}
		if err := json.NewDecoder(res.Body).Decode(&groups); err != nil {
			return "", err
		}
		if alerts > 0 && (len(groups) != 1 || groups[0].Labels["zone"] != "z1" || len(groups[0].Alerts) != alerts) {
			return fmt.Sprintf("groups %+v", groups), nil
		}
		return "", nil
	})
}

var links = regexp.MustCompile(`https?://[^\s"<>]+/acknowledge\?token=[^\s"<>]+`)

// answerMail finds the mail about an alarm, follows the link in it, which does
// nothing yet, and presses the button there.
func (c *channels) answerMail(id string) {
	c.t.Helper()
	var text, page string
	_, object, _ := strings.Cut(id, ":")
	number := strings.TrimPrefix(object, "f0")
	c.eventually("the mail about "+id, func() (bool, error) {
		mails, err := peers.ReadMail(c.mailDir)
		for _, raw := range mails {
			if subject, plain, html := mailParts(c.t, raw); strings.Contains(subject, "مخرج "+number) {
				text, page = plain, html
			}
		}
		return text != "", err
	})
	link := links.FindString(text)
	if link == "" || !strings.Contains(page, `dir="rtl"`) {
		c.t.Fatalf("the mail has no link, or is not from right to left:\n%s\n%s", text, page)
	}
	res, err := c.client.Get(link)
	c.must("follow the link", err)
	_ = res.Body.Close()
	if names, err := c.alarms(); err != nil || !strings.Contains(fmt.Sprint(names), id+stands) {
		c.t.Errorf("after looking at the link: %v, %v", names, err)
	}
	address, err := url.Parse(link)
	c.must("read the link", err)
	form := address.Query()
	address.RawQuery = ""
	res, err = c.client.PostForm(address.String(), form)
	c.must("acknowledge", err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		c.t.Errorf("the button answers %d", res.StatusCode)
	}
}

// mailParts takes a mail apart: its subject, and both its bodies.
func mailParts(t *testing.T, raw string) (subject, plain, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	bodies := make(map[string]string)
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err != nil {
			return strings.NewReplacer("\u2068", "", "\u2069", "").Replace(subject), bodies["text/plain"], bodies["text/html"]
		}
		var body io.Reader = p
		switch p.Header.Get("Content-Transfer-Encoding") {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		bodies[kind] = string(bytes.TrimSpace(text))
	}
}

// answerBot presses the button under the message about an alarm.
func (c *channels) answerBot(id string) {
	c.t.Helper()
	_, object, _ := strings.Cut(id, ":")
	c.eventually("the bot's message about "+id, func() (bool, error) {
		return c.bot.press("مخرج " + strings.TrimPrefix(object, "f0")), nil
	})
}
