package decode

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/imdad-telemetry/imdad/collector/decode/sparkplugpb"
)

// Bounds on asking for births; times in ms.
const (
	// reorderTimeout is how long a message may be late before its absence is a
	// loss. Nothing is held back meanwhile, so there is nothing to tune: a longer
	// one delays the rebirth, a shorter one asks for more of them.
	reorderTimeout = 2_000
	// A node is asked again after firstPause, and after twice as long each time
	// up to lastPause; and no more after maxAsked times, until it speaks again.
	firstPause = 10_000
	lastPause  = 300_000
	maxAsked   = 12
	// restartPause is how long nodes have after a restart to give birth of their
	// own accord, as those do that wait for our STATE.
	restartPause = 10_000
	// askedEachSecond bounds the requests of one source: thousands of nodes that
	// all give birth at once are a flood.
	askedEachSecond = 10
)

// rebirth is what a node still owes us, and how it was asked.
type rebirth struct {
	wanted   bool
	restored bool  // only because we were away: once is enough
	queued   bool  // it is in the host's queue
	asked    int   // how often, for the same want
	last     int64 // when
	pause    int64
}

// want asks for the births of a node, as soon as it may be asked.
func (h *sparkplugHost) want(n *edgeNode) {
	n.rebirth.wanted, n.rebirth.restored, n.rebirth.asked = true, false, 0
	h.queueUp(n)
}

func (h *sparkplugHost) queueUp(n *edgeNode) {
	if !n.rebirth.queued {
		n.rebirth.queued = true
		h.queue = append(h.queue, n)
	}
}

// commands appends what is to be said at a time.
func (h *sparkplugHost) commands(now int64, to []Command) []Command {
	if h.started == 0 {
		h.started = now
	}
	if h.announce {
		h.announce = false
		to = append(to, Command{Announce: true})
	}
	if second := now / 1000; second != h.second {
		h.second, h.asked = second, 0
	}
	kept := h.queue[:0]
	for _, n := range h.queue {
		switch owes := n.owes(now); {
		case !owes && n.sequence.lost == 0:
			n.rebirth.queued = false
			continue
		case owes && h.asked < askedEachSecond && n.mayBeAsked(now, h.started):
			h.asked++
			n.rebirth.note(now)
			to = append(to, Command{Topic: n.topic.with(nodeCommand, ""), Payload: rebirthRequest(now)})
		}
		kept = append(kept, n)
	}
	clear(h.queue[len(kept):])
	h.queue = kept
	return to
}

// owes tells whether the births of a node are needed; a loss is one when the
// time for it to come late is over.
func (n *edgeNode) owes(now int64) bool {
	if n.sequence.lost > 0 && now-n.sequence.since >= reorderTimeout {
		n.sequence.lost, n.sequence.missing = 0, [4]uint64{}
		n.rebirth.wanted, n.rebirth.asked = true, 0
	}
	return n.rebirth.wanted && n.rebirth.asked < maxAsked
}

func (n *edgeNode) mayBeAsked(now, started int64) bool {
	if n.rebirth.restored && now < started+restartPause {
		return false
	}
	return n.rebirth.last == 0 || now >= n.rebirth.last+n.rebirth.pause
}

// note remembers that the node was asked. A node that was left in peace for long
// begins with the short pause again; a birth alone does not make it so, or one
// that loses messages all the time would be asked every ten seconds.
func (r *rebirth) note(now int64) {
	switch {
	case r.last == 0 || now-r.last > 2*lastPause:
		r.pause = firstPause
	default:
		r.pause = min(2*r.pause, lastPause)
	}
	r.asked++
	r.wanted, r.restored, r.last = !r.restored, false, now
}

// rebirthRequest makes the payload of an NCMD that asks for all births.
func rebirthRequest(now int64) []byte {
	at := uint64(now)
	payload, err := proto.Marshal(&pb.Payload{
		Timestamp: &at,
		Metrics: []*pb.Payload_Metric{{
			Name: proto.String("Node Control/Rebirth"), Timestamp: &at, Datatype: proto.Uint32(uint32(pb.DataType_Boolean)),
			Value: &pb.Payload_Metric_BooleanValue{BooleanValue: true},
		}},
	})
	if err != nil {
		panic(fmt.Sprintf("decode: a rebirth request: %v", err)) // its one text is ours
	}
	return payload
}
