package mqtt

// window guesses from one connection's course how many unacknowledged messages the broker lets be under way. A broker
// at its limit sends exactly as many again as were acknowledged: the peak is then met over and over, and never passed.
type window struct {
	peak int
	met  int // how often the peak was met since it was first reached
	told bool
}

const (
	windowFloor = 10  // below it, a peak says more about the meters than about the broker
	windowMet   = 100 // so often is no coincidence
)

// observe is told how many messages are held just before some are acknowledged. It returns the size of the window
// once, when it has become certain enough, otherwise 0.
func (w *window) observe(held int) int {
	switch {
	case held > w.peak:
		w.peak, w.met = held, 0
	case held == w.peak:
		w.met++
	}
	if w.told || w.peak < windowFloor || w.met < windowMet {
		return 0
	}
	w.told = true
	return w.peak
}
