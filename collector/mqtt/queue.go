package mqtt

import (
	"context"
	"io"
	"sync"
	"time"
)

// queue holds the messages between the connections and the consumer, in the order of receipt, and keeps the ledger:
// each message is counted under the same lock that moves it, so the ledger balances at every moment:
//
//	received = base + done + dropped + inFlight + abandoned
//
// It is bounded by bytes. From three quarters on the brokers are held back by reading no more (holdBack). The bound may
// be passed by one message, so that none is too large to get through, and by what had been read from the connections
// when the holding back began (64 KiB and the packet under way each): a few large messages that come together would
// otherwise have their connection closed, be sent again together, and never get through. Where the consumer does not
// catch up in time, messages beyond the bound are turned away, their connection is closed, and it is made again when
// half of the queue is free.
//
// No lock is taken while the queue's mutex is held.
type queue struct {
	limitBytes int
	patience   time.Duration // for how long a full queue holds the brokers back before it turns messages away

	mu       sync.Mutex
	items    []Message // items[head:] are queued
	head     int
	bytes    int           // cost of what is queued
	holding  time.Time     // since when the brokers are held back; zero as long as they are not
	stopped  bool          // takes no more messages
	arrived  chan struct{} // holds one token when there may be messages for the consumer
	resume   chan struct{} // closed and made anew when the brokers are no longer held back
	finished chan struct{} // closed when the queue has stopped and nothing is in flight
	untaken  int64         // dropped and not yet told to the caller
	ledger   ledger
}

// ledger counts messages. Base is what was received in earlier lives.
type ledger struct {
	received, dropped, abandoned, inFlight int64
}

// verdict says what became of an arriving message.
type verdict int

const (
	accepted verdict = iota
	refused          // its connection is to be closed: there is no room for a message that must not be dropped
	left             // counted as dropped or abandoned, nothing more to do
)

func newQueue(limitBytes int, patience time.Duration, receivedBase int64) *queue {
	return &queue{
		limitBytes: limitBytes,
		patience:   patience,
		arrived:    make(chan struct{}, 1),
		resume:     make(chan struct{}),
		finished:   make(chan struct{}),
		ledger:     ledger{received: receivedBase},
	}
}

// push never blocks. What cannot be queued is dropped (QoS 0) or abandoned (the broker sends it again).
func (q *queue) push(m Message) verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ledger.received++
	switch {
	case q.stopped:
		return q.turnAway(m.QoS, left)
	case m.QoS > 0 && m.origin.lost:
		return q.turnAway(m.QoS, left)
	case q.bytes >= q.limitBytes && !q.heldBack():
		return q.turnAway(m.QoS, refused)
	}
	if m.QoS > 0 {
		m.origin.held++
	}
	q.ledger.inFlight++
	q.append(m)
	return accepted
}

// heldBack tells whether the brokers are being held back, so that what arrives had been read before.
func (q *queue) heldBack() bool {
	return !q.holding.IsZero() && time.Since(q.holding) < q.patience
}

// turnAway counts a message that is not queued. One of QoS 0 is never a reason to close a connection.
func (q *queue) turnAway(qos byte, v verdict) verdict {
	if qos == 0 {
		q.ledger.dropped++
		q.untaken++
		return left
	}
	q.ledger.abandoned++
	return v
}

func (q *queue) append(m Message) {
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		q.tell()
	} else if len(q.items) == cap(q.items) && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, m)
	q.bytes += m.cost()
	if q.bytes >= q.limitBytes/4*3 && q.holding.IsZero() {
		q.holding = time.Now()
	}
}

func (q *queue) tell() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// take appends up to cap(buf) messages to buf[:0]. It blocks until there is one; io.EOF says that there will be none.
// There may be one caller at a time.
func (q *queue) take(ctx context.Context, buf []Message) ([]Message, error) {
	for {
		buf = q.takeQueued(buf[:0])
		if len(buf) > 0 {
			return buf, nil
		}
		if q.ended() {
			return buf, io.EOF
		}
		select {
		case <-q.arrived:
		case <-ctx.Done():
			return buf, ctx.Err()
		}
	}
}

func (q *queue) takeQueued(buf []Message) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.items[q.head:min(len(q.items), q.head+cap(buf))]
	for i := range taken {
		q.bytes -= taken[i].cost()
	}
	buf = append(buf, taken...)
	clear(taken)
	q.head += len(taken)
	q.checkRoom()
	return buf
}

func (q *queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped && q.head == len(q.items) {
		q.tell() // for the next call
		return true
	}
	return false
}

// checkRoom lets the brokers go on a little below the point from which they were held back, so that the connections
// stay in motion while the consumer is the slower one.
func (q *queue) checkRoom() {
	if !q.holding.IsZero() && q.bytes <= q.limitBytes/8*5 {
		q.letGo()
	}
}

func (q *queue) letGo() {
	q.holding = time.Time{}
	close(q.resume)
	q.resume = make(chan struct{})
}

// observe looks at a connection's window before some of its messages are acknowledged: afterwards the broker may already
// have sent more. It returns the window's size once, when it has been found to fill, otherwise 0.
func (q *queue) observe(o *origin) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return o.observe(o.held)
}

// done takes acknowledged messages out of the ledger.
func (q *queue) done(msgs []Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ledger.inFlight -= int64(len(msgs))
	for i := range msgs {
		if msgs[i].QoS > 0 {
			msgs[i].origin.held--
		}
	}
	q.checkFinished()
}

// lose removes what a lost connection has queued: the broker will send it again. Of QoS 0 it would not; that stays.
func (q *queue) lose(o *origin) {
	q.mu.Lock()
	defer q.mu.Unlock()
	o.lost = true
	kept := q.items[:q.head]
	for i := q.head; i < len(q.items); i++ {
		m := q.items[i]
		if m.origin != o || m.QoS == 0 {
			kept = append(kept, m)
			continue
		}
		q.bytes -= m.cost()
		q.ledger.inFlight--
		q.ledger.abandoned++
		o.held--
	}
	clear(q.items[len(kept):])
	q.items = kept
	q.checkRoom()
	q.checkFinished()
}

// heldBy is how many unacknowledged messages of this connection are queued or taken and not done.
func (q *queue) heldBy(o *origin) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return o.held
}

// stop turns later messages away; what is queued can still be taken.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.letGo()
	q.tell()
	q.checkFinished()
}

// checkFinished tells that nothing is left to wait for once the queue has stopped.
func (q *queue) checkFinished() {
	if q.stopped && q.ledger.inFlight == 0 {
		select {
		case <-q.finished:
		default:
			close(q.finished)
		}
	}
}

// hasRoom tells whether a connection should be made: an earlier one would only be refused again.
func (q *queue) hasRoom() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.stopped && q.bytes <= q.limitBytes/2
}

// holdBack waits while the queue is filling up, so that a stall of the consumer reaches the broker as TCP
// backpressure. It gives up after the queue's patience, since pings must be answered; from then on the queue fills,
// until it turns messages away.
func (q *queue) holdBack() {
	q.mu.Lock()
	since, resume := q.holding, q.resume
	q.mu.Unlock()
	if since.IsZero() {
		return
	}
	timeout := time.NewTimer(time.Until(since.Add(q.patience)))
	defer timeout.Stop()
	select {
	case <-resume:
	case <-timeout.C:
	}
}

func (q *queue) takeDropped() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.untaken
	q.untaken = 0
	return n
}

// count returns the ledger and the cost in bytes of what is queued, of one moment.
func (q *queue) count() (ledger, int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ledger, q.bytes
}
