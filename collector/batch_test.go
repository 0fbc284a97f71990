package collector

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

// put fills in messages with these topics.
func put(b *batches, topics ...string) bool {
	return b.fill(func(b *batch) {
		for _, topic := range topics {
			b.messages = append(b.messages, mqtt.Message{Topic: topic})
		}
	})
}

func topics(b *batch) string {
	var all []string
	for _, m := range b.messages {
		all = append(all, m.Topic)
	}
	return strings.Join(all, " ")
}

// While one batch is being committed the next one fills, for just as long as
// that takes.
func TestTheNextBatchFillsDuringACommit(t *testing.T) {
	t.Parallel()
	b := newBatches()
	put(b, "1")
	first := b.take()
	put(b, "2")
	put(b, "3", "4")
	if got := topics(first); got != "1" {
		t.Errorf("the batch that is out has %s", got)
	}
	b.giveBack(first)
	second := b.take()
	if got := topics(second); got != "2 3 4" {
		t.Errorf("the next has %s", got)
	}
	b.giveBack(second)
}

// An idle committer gets a lone message at once: there is no timer.
func TestALoneMessageDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBatches()
		taken := make(chan string)
		go func() { taken <- topics(b.take()) }()
		synctest.Wait()
		begun := time.Now()
		put(b, "1")
		if got := <-taken; got != "1" || time.Since(begun) != 0 {
			t.Errorf("%q after %v", got, time.Since(begun))
		}
	})
}

func TestAFullBatchHoldsTheFillingUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fill func(*batch)
	}{
		{"messages", func(b *batch) { b.messages = make([]mqtt.Message, maxBatchMessages) }},
		{"lines", func(b *batch) { b.messages, b.Lines = make([]mqtt.Message, 1), make([]byte, maxBatchBytes) }},
		{"payloads", func(b *batch) { b.messages, b.payload = make([]mqtt.Message, 1), maxBatchBytes }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBatches()
				b.fill(tt.fill)
				filled := false
				go func() { filled = put(b, "next") }()
				synctest.Wait()
				if filled {
					t.Fatal("a full batch was filled further")
				}
				full := b.take()
				synctest.Wait()
				if !filled {
					t.Fatal("nothing is filled in though there is room again")
				}
				b.giveBack(full)
				if got := topics(b.take()); got != "next" {
					t.Errorf("the next batch has %s", got)
				}
			})
		})
	}
}

func TestTheEndOfFilling(t *testing.T) {
	t.Parallel()
	b := newBatches()
	put(b, "1")
	b.close()
	last := b.take()
	if got := topics(last); got != "1" {
		t.Errorf("the last batch has %s", got)
	}
	b.giveBack(last)
	if got := b.take(); got != nil {
		t.Errorf("after the last batch came %s", topics(got))
	}
}

func TestTheEndOfTaking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBatches()
		b.fill(func(b *batch) { b.messages = make([]mqtt.Message, maxBatchMessages) })
		filled := make(chan bool)
		go func() { filled <- put(b, "waits") }()
		synctest.Wait()
		b.close()
		if <-filled {
			t.Error("filled in, though nobody will take it")
		}
		if put(b, "late") {
			t.Error("filled in after the end")
		}
	})
}

// A batch is used again: nothing of its first life may be left in it.
func TestABatchComesBackEmpty(t *testing.T) {
	t.Parallel()
	b := newBatches()
	for range 3 { // each of the two is used again
		b.fill(func(b *batch) {
			b.messages = append(b.messages, mqtt.Message{Payload: []byte("x")})
			b.Lines, b.LineCount = append(b.Lines, "l\n"...), 1
			b.Fingerprints = append(b.Fingerprints, 'p')
			b.Quarantine = append(b.Quarantine, spool.Entry{Payload: []byte("x")})
			b.Ledger.MessagesDecoded, b.payload, b.oldest = 1, 1, 1
		})
		taken := b.take()
		messages, entries := taken.messages[:1], taken.Quarantine[:1]
		b.giveBack(taken)
		if messages[0].Payload != nil || entries[0].Payload != nil {
			t.Error("a payload is held on to")
		}
		if len(taken.messages)+len(taken.Lines)+taken.LineCount+len(taken.Fingerprints)+len(taken.Quarantine)+taken.payload != 0 ||
			taken.oldest != 0 || taken.Ledger != (spool.Ledger{}) || taken.Origin != spool.Reading {
			t.Errorf("not empty: %+v", taken)
		}
		if cap(taken.messages) == 0 || cap(taken.Lines) == 0 {
			t.Error("its memory is thrown away")
		}
	}
}

// Everything that is filled in is taken, once, in order.
func TestBatchesKeepTheOrder(t *testing.T) {
	t.Parallel()
	const n = 50_000
	b := newBatches()
	go func() {
		for i := range n {
			put(b, strconv.Itoa(i))
		}
		b.close()
	}()
	next, sizes := 0, 0
	for taken := b.take(); taken != nil; taken = b.take() {
		for _, m := range taken.messages {
			if m.Topic != strconv.Itoa(next) {
				t.Fatalf("message %s, want %d", m.Topic, next)
			}
			next++
		}
		if len(taken.messages) > maxBatchMessages {
			t.Fatalf("a batch of %d messages", len(taken.messages))
		}
		sizes++
		b.giveBack(taken)
	}
	if next != n {
		t.Errorf("%d messages in %d batches, want %d", next, sizes, n)
	}
}
