package spool

import "sync"

// tailBytes bounds the freshly appended batches kept in memory, so that in the
// steady state nothing is read back from disk.
const tailBytes = 4 << 20

// settledRows bounds what Done has reported and no commit has taken up yet
// (for example while the disk fails): beyond it Next waits.
const settledRows = 8192

// queue tracks which rows are handed out, which are settled, and keeps the
// newest ones in memory while the consumer is level with the producer.
//
//	delivered   handed out     in memory or only on disk
//	──────────┬──────────────┬──────────────────────────┬──► ids
//	        cursor          next                       end
type queue struct {
	mu        sync.Mutex
	next, end int64 // ids: the next to hand out; one past the newest
	available int64 // lines in [next, end)
	tail      []row // consecutive ids, the first is next; may end before end
	tailSize  int64
	handed    []*handout // in order of ids, done or not
	settled   *settled
	round     int   // counts resets
	want      int64 // lines that the goroutine in Next waits for
	wake      chan struct{}
}

// handout is a chunk on its way.
type handout struct {
	first, last int64
	lines       int64
	rows        int
	time        int64 // of its newest row
	prints      []byte
	refused     []Entry
	done        bool
}

// settled is the finished prefix of what was handed out, not yet committed.
type settled struct {
	chunks []*handout
	rows   int
}

// reset forgets what was handed out, and begins at next again.
func (q *queue) reset(next, end, available int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next, q.end, q.available = next, end, available
	q.tail, q.tailSize, q.handed, q.settled = nil, 0, nil, nil
	q.round++
}

func (q *queue) publish(r *row) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.id == q.tailEnd() && q.tailSize+r.size() <= tailBytes {
		kept := *r
		buf := make([]byte, 0, r.size())
		buf = append(append(buf, r.body...), r.prints...)
		kept.body, kept.prints = buf[:len(r.body):len(r.body)], buf[len(r.body):]
		q.tail = append(q.tail, kept)
		q.tailSize += r.size()
	}
	q.grow(r.id+1, r.lines)
}

// tailEnd is the id that would extend what is in memory without a gap.
func (q *queue) tailEnd() int64 { return q.next + int64(len(q.tail)) }

// grow takes note of rows up to end. q.mu is held.
func (q *queue) grow(end, lines int64) {
	before := q.available
	q.end = end
	q.available += lines
	if before == 0 || (before < q.want && q.available >= q.want) {
		q.stir()
	}
}

// stir wakes the goroutine in Next.
func (q *queue) stir() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// takeTail removes and returns rows from memory, whole ones, up to maxLines or
// one row. It returns nil when the next row is only on disk, or there is none.
func (q *queue) takeTail(maxLines int) []row {
	q.mu.Lock()
	defer q.mu.Unlock()
	var n int
	var lines int64
	for n < len(q.tail) && (n == 0 || lines+q.tail[n].lines <= int64(maxLines)) {
		lines += q.tail[n].lines
		q.tailSize -= q.tail[n].size()
		n++
	}
	if n == 0 {
		return nil
	}
	taken := q.tail[:n:n]
	q.tail = q.tail[n:]
	if len(q.tail) == 0 {
		q.tail = nil
	}
	q.next += int64(n)
	q.available -= lines
	return taken
}

// span returns the ids that can be handed out, and the round.
func (q *queue) span() (next, end int64, round int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next, q.end, q.round
}

// advance takes rows that were read from disk off the queue.
func (q *queue) advance(round int, next, lines int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if round == q.round {
		q.next = next
		q.available -= lines
	}
}

// correct sets how many lines are left to hand out; with none, nothing is.
func (q *queue) correct(available int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.available = available
	if available == 0 {
		q.next, q.tail, q.tailSize = q.end, nil, 0
	}
}

// hand notes a chunk as on its way, unless the queue began anew meanwhile.
func (q *queue) hand(round int, h *handout) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if round != q.round {
		return false
	}
	q.handed = append(q.handed, h)
	q.collect()
	return true
}

// finish marks the chunk beginning at first as done and reports whether it was
// on its way. A chunk of an earlier round is handed out again: its report is
// ignored.
func (q *queue) finish(round int, first, last int64, refused []Entry) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if round != q.round {
		return true
	}
	for _, h := range q.handed {
		if h.first == first && h.last == last && !h.done {
			h.done, h.refused = true, refused
			q.collect()
			return true
		}
	}
	return false
}

// collect moves the finished prefix to settled. q.mu is held.
func (q *queue) collect() {
	n := 0
	for n < len(q.handed) && q.handed[n].done {
		if q.settled == nil {
			q.settled = &settled{}
		}
		q.settled.chunks = append(q.settled.chunks, q.handed[n])
		q.settled.rows += q.handed[n].rows
		n++
	}
	if n > 0 {
		q.handed = append(q.handed[:0], q.handed[n:]...)
	}
}

// underWay is how many lines are handed out and not yet off the disk.
func (q *queue) underWay() (lines int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range q.handed {
		lines += h.lines
	}
	if q.settled != nil {
		for _, h := range q.settled.chunks {
			lines += h.lines
		}
	}
	return lines
}

func (q *queue) takeSettled() *settled {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.settled
	q.settled = nil
	return s
}

// putBack returns what a failed commit had taken.
func (q *queue) putBack(s *settled) {
	if s == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.settled != nil {
		s.chunks = append(s.chunks, q.settled.chunks...)
		s.rows += q.settled.rows
	}
	q.settled = s
}

func (q *queue) unsettled() (rows int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.settled == nil {
		return 0
	}
	return q.settled.rows
}

// waitFor says how many lines may be handed out now, and has a wake-up sent
// when there are want.
func (q *queue) waitFor(want int) (available int64, settled int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.want = int64(want)
	if q.settled != nil {
		settled = q.settled.rows
	}
	return q.available, settled
}
