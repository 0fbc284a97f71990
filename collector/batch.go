package collector

import (
	"sync"

	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

// A batch is handed to the spool no later than at one of these bounds. There
// are two batches, so they bound the memory to some 5 MB; the messages in
// them count as in flight.
const (
	maxBatchMessages = 2048
	maxBatchBytes    = 1 << 20 // of lines, or of quarantined payloads
)

// batch is what one transaction stores, with the messages it came from.
type batch struct {
	spool.Batch
	messages []mqtt.Message // in the order of receipt
	payload  int            // bytes of quarantined payloads
	oldest   int64          // when the first message was received, ms
}

func (b *batch) full() bool {
	return len(b.messages)+atOnce > maxBatchMessages || len(b.Lines) >= maxBatchBytes || b.payload >= maxBatchBytes
}

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	clear(b.messages) // lets go of the payloads
	clear(b.Quarantine)
	clear(b.State)
	*b = batch{
		Batch: spool.Batch{
			Lines: b.Lines[:0], Fingerprints: b.Fingerprints[:0], Quarantine: b.Quarantine[:0], State: b.State[:0], Origin: spool.Reading,
		},
		messages: b.messages[:0],
	}
}

// batches is group commit without a timer: while one batch is being committed
// the next one fills, for just as long as that takes.
type batches struct {
	mu      sync.Mutex
	changed sync.Cond
	filling *batch
	spare   *batch // nil while it is being committed
	closed  bool
}

func newBatches() *batches {
	b := &batches{filling: &batch{}, spare: &batch{}}
	b.filling.reset()
	b.spare.reset()
	b.changed.L = &b.mu
	return b
}

// fill lets f add to the batch that is filling; it waits while that is full.
// It returns false, without having called f, once nobody takes batches any
// more.
func (b *batches) fill(f func(*batch)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.filling.full() && !b.closed {
		b.changed.Wait()
	}
	if b.closed {
		return false
	}
	f(b.filling)
	b.changed.Broadcast()
	return true
}

// take waits until something is in the batch and takes it; nil after close,
// when nothing is left.
func (b *batches) take() *batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.filling.messages) == 0 {
		if b.closed {
			return nil
		}
		b.changed.Wait()
	}
	taken := b.filling
	b.filling, b.spare = b.spare, nil
	b.changed.Broadcast()
	return taken
}

// giveBack returns a batch that take gave out, for filling again. One batch at
// a time is out, so the spare is in its place before the next take.
func (b *batches) giveBack(done *batch) {
	done.reset()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spare = done
}

// close tells that nothing will be filled any more (from the filling side), or
// that nothing will be taken (from the taking side).
func (b *batches) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.changed.Broadcast()
}
