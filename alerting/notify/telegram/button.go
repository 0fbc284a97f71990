package telegram

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/notify"
)

const (
	// maxButtons is how many alarms of one notice can be acknowledged under it; the rest are for the console.
	maxButtons = 10
	// scheme names what a button's data says: the occurrence, in base 36, and a sum of the alarm's id. Together they
	// take 26 of the 64 bytes at most; the id alone can be longer. Without the sum a button from before the journal was
	// lost would acknowledge whatever has its number now.
	scheme = "ack"
)

// buttons is one row for each alarm that waits to be acknowledged; nil for none.
func buttons(n notify.Notice) *keyboard {
	var k keyboard
	for _, a := range n.Content.Alarms {
		if a.State != alarm.Unacknowledged || len(k.Rows) == maxButtons {
			continue
		}
		label := acknowledge.in(n.Language)
		if len(n.Content.Alarms) > 1 {
			label += ": \u2068" + a.Object + "\u2069"
		}
		k.Rows = append(k.Rows, []button{{Text: label, CallbackData: reference(a)}})
	}
	if len(k.Rows) == 0 {
		return nil
	}
	return &k
}

func reference(a alarm.Alarm) string {
	return scheme + ":" + strconv.FormatInt(a.Occurrence, 36) + ":" + sum(a.ID)
}

func sum(id string) string {
	digest := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(digest[:6])
}

// parseReference reads what reference wrote.
func parseReference(data string) (occurrence int64, idSum string, ok bool) {
	parts := strings.Split(data, ":")
	if len(parts) != 3 || parts[0] != scheme {
		return 0, "", false
	}
	occurrence, err := strconv.ParseInt(parts[1], 36, 64)
	return occurrence, parts[2], err == nil && occurrence > 0
}

// without is the keyboard after a button was used.
func (k *keyboard) without(data string) keyboard {
	rest := keyboard{Rows: [][]button{}}
	if k == nil {
		return rest
	}
	for _, row := range k.Rows {
		var kept []button
		for _, b := range row {
			if b.CallbackData != data {
				kept = append(kept, b)
			}
		}
		if kept != nil {
			rest.Rows = append(rest.Rows, kept)
		}
	}
	return rest
}
