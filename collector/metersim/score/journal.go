package score

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
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

// Read reads JSON lines; blank lines are passed over. A line may also be a list
// of values, as a page of a service's journal is. An error names its line.
func Read[T any](r io.Reader) ([]T, error) {
	var list []T
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if line[0] != '[' {
			line = slices.Concat([]byte{'['}, line, []byte{']'})
		}
		var page []T
		if err := json.Unmarshal(line, &page); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, page...)
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
