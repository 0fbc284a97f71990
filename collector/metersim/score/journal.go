package score

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Transition is a line of an alarm journal, as far as it matters here.
type Transition struct {
	Seq   int64     `json:"seq"`
	Time  time.Time `json:"time"`
	Event string    `json:"event"` // raise, return, suppress, unsuppress, …
	From  string    `json:"from"`
	To    string    `json:"to"`
	Alarm struct {
		ID         string `json:"id"`
		Kind       string `json:"kind"`
		Object     string `json:"object"`
		Occurrence int64  `json:"occurrence"`
		Zone       string `json:"zone"`
	} `json:"alarm"`
}

// Notice is a line of a list of notices that went out.
type Notice struct {
	Time    time.Time `json:"time"`
	Person  string    `json:"person"`
	Channel string    `json:"channel"`
	Type    string    `json:"type"`
	Alarms  []string  `json:"alarms"`
}

// Read reads JSON lines; blank lines are passed over. An error names its line.
func Read[T any](r io.Reader) ([]T, error) {
	var list []T
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, v)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	return list, nil
}

// shown tells whether the transition puts an alarm before people: it was raised
// unsuppressed, or came out from under what suppressed it.
func (t *Transition) shown() bool {
	return (t.Event == "raise" || t.Event == "unsuppress") && t.To == "unacknowledged"
}
