package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/alarm"
	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// state is what planning remembers. It is kept whole in memory and written to
// the outbox where it changed, in one transaction with the rows planned.
type state struct {
	Cursor     int64 // Seq of the last transition taken in
	LastNotice int64
	LastRow    int64
	threads    map[string]*thread // by alarm id: everything that is not normal
	inboxes    map[string]*inbox  // by person
	// mail and queues hold the rows that have not left, waiting or being sent,
	// by person and by channel, oldest first. Rows of streams are in queues alone.
	mail   map[string]queue
	queues map[string]queue
	// unsent holds the notices of which no row has ever been tried.
	unsent  map[int64]bool
	changed changed
}

// changed is what the next commit writes.
type changed struct {
	cursor  int64 // as it is on disk
	threads map[string]bool
	inboxes map[string]bool
	rows    map[int64]*row
}

func newState() *state {
	return &state{
		threads: make(map[string]*thread), inboxes: make(map[string]*inbox),
		mail: make(map[string]queue), queues: make(map[string]queue), unsent: make(map[int64]bool), changed: newChanged(),
	}
}

func newChanged() changed {
	return changed{threads: make(map[string]bool), inboxes: make(map[string]bool), rows: make(map[int64]*row)}
}

// saved tells whether everything is on disk.
func (s *state) saved() bool {
	c := &s.changed
	return c.cursor == s.Cursor && len(c.threads)+len(c.inboxes)+len(c.rows) == 0
}

// thread is one alarm, and who has been told of this occurrence.
type thread struct {
	Alarm     alarm.Alarm      `json:"alarm"`
	Shown     time.Time        `json:"shown,omitzero"` // since when people are to see it; zero: they are not
	Told      map[string]*told `json:"told,omitempty"` // by person
	Escalated []string         `json:"escalated,omitempty"`
}

func (t *thread) shown() bool { return !t.Shown.IsZero() }

// open tells whether somebody should still acknowledge it.
func (t *thread) open() bool { return t.shown() && t.Alarm.State == alarm.Unacknowledged }

// told is when a person was told last, and by which notices.
type told struct {
	At       time.Time     `json:"at"`
	Severity rule.Severity `json:"severity"`
	Notices  []int64       `json:"notices"`
}

// inbox is what waits to be told to one person, and how much was told lately.
type inbox struct {
	Items    []*item              `json:"items,omitempty"`
	Tokens   float64              `json:"tokens"`
	Spare    float64              `json:"spare"`    // tokens for criticals
	Refilled time.Time            `json:"refilled"` // when tokens were counted last
	Recent   []time.Time          `json:"recent,omitempty"`
	Gathers  map[string]time.Time `json:"gathers,omitempty"` // by group: until when what follows its last notice waits
	Flood    bool                 `json:"flood,omitempty"`
	Next     time.Time            `json:"next,omitzero"` // of a flood's digests
	Planned  []planned            `json:"planned,omitempty"`
	Seen     map[string]time.Time `json:"seen,omitempty"` // planned cuts that were told, until their end
}

// item is one piece of news that waits for its notice.
type item struct {
	Type       message.Type `json:"type"`
	ID         string       `json:"id"` // of the alarm
	Occurrence int64        `json:"occurrence"`
	Due        time.Time    `json:"due"`
	Group      string       `json:"group"`
	Route      string       `json:"route,omitempty"`
	Held       bool         `json:"held,omitempty"`  // by quiet hours
	Again      bool         `json:"again,omitempty"` // may have been said before the outbox was lost
	// Alarm is the alarm as it ended, of a Returned; otherwise it is its thread's.
	Alarm *alarm.Alarm `json:"alarm,omitempty"`
}

// rowState of a row of the outbox.
type rowState string

const (
	waiting   rowState = "waiting"
	sending   rowState = "sending" // on disk before the attempt: after a crash nobody knows
	sent      rowState = "sent"
	failed    rowState = "failed"
	cancelled rowState = "cancelled" // it had become pointless
)

// row is one message to one address.
type row struct {
	ID       int64
	Notice   int64 // rows of one notice on several channels share it
	Channel  string
	Address  string
	Person   string
	Language message.Language
	Created  time.Time // when it was planned, by the clock of alarms
	Queued   time.Time // when it was stored, in real time
	State    rowState
	Attempts int
	Next     time.Time // not before, in real time
	Repeated bool
	Content  message.Content
	Fallback []way // channels to try if this one fails
	Error    string
}

func (s *state) touchThread(id string)    { s.changed.threads[id] = true }
func (s *state) touchInbox(person string) { s.changed.inboxes[person] = true }
func (s *state) touchRow(r *row)          { s.changed.rows[r.ID] = r }
func (s *state) setThread(id string, t *thread) {
	s.threads[id] = t
	s.touchThread(id)
}

func (s *state) dropThread(id string) {
	if _, ok := s.threads[id]; ok {
		delete(s.threads, id)
		s.touchThread(id)
	}
}

// sortedThreads returns the threads in the order of their ids: the same input
// makes the same notices.
func (s *state) sortedThreads() []*thread {
	out := make([]*thread, 0, len(s.threads))
	for _, id := range slices.Sorted(maps.Keys(s.threads)) {
		out = append(out, s.threads[id])
	}
	return out
}

// addRow gives a row its id and puts it into the outbox.
func (s *state) addRow(r *row) {
	s.LastRow++
	r.ID, r.State = s.LastRow, waiting
	s.enqueue(r)
	s.touchRow(r)
}

func (s *state) enqueue(r *row) {
	s.queues[r.Channel] = append(s.queues[r.Channel], r)
	if r.Person != "" {
		s.mail[r.Person] = append(s.mail[r.Person], r)
	}
}

// end takes a row out of the outbox's present.
func (s *state) end(r *row, as rowState) {
	r.State = as
	s.queues[r.Channel] = s.queues[r.Channel].without(r)
	if r.Person != "" {
		s.mail[r.Person] = s.mail[r.Person].without(r)
	}
	s.touchRow(r)
}

// queue is a list of rows by rising id.
type queue []*row

func (q queue) index(id int64) (int, bool) {
	return slices.BinarySearchFunc(q, id, func(r *row, id int64) int { return cmp.Compare(r.ID, id) })
}

// get returns the row with an id, nil if it is not there.
func (q queue) get(id int64) *row {
	if i, ok := q.index(id); ok {
		return q[i]
	}
	return nil
}

func (q queue) without(r *row) queue {
	if i, ok := q.index(r.ID); ok {
		return slices.Delete(q, i, i+1)
	}
	return q
}

// waitingRows returns a person's rows that are not being sent, oldest first.
func (s *state) waitingRows(person string) []*row {
	var out []*row
	for _, r := range s.mail[person] {
		if r.State == waiting {
			out = append(out, r)
		}
	}
	return out
}
