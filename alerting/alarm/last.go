package alarm

// LastSeq is the number of the newest transition, 0 while there is none. It
// does not wait for a commit under way.
func (b *Book) LastSeq() int64 {
	b.state.RLock()
	defer b.state.RUnlock()
	return b.machine.seq
}
