package vet

// table maps keys to values with open addressing and linear probing, in 12
// bytes a slot and nothing for the garbage collector to scan: a Go map takes
// about 50 bytes for the same. Nothing is removed but all at once. Keys are hashes, so
// their own bits place them; 0 marks a free slot and is no key.
type table struct {
	keys   []uint64 // a power of two of them
	values []uint32
	len    int
}

const firstSlots = 1 << 10

// slot returns where key is, or where it would go.
func (t *table) slot(key uint64) int {
	mask := uint64(len(t.keys) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		if t.keys[i] == key || t.keys[i] == 0 {
			return int(i)
		}
	}
}

func (t *table) get(key uint64) (uint32, bool) {
	if t.len == 0 {
		return 0, false
	}
	i := t.slot(key)
	return t.values[i], t.keys[i] == key
}

func (t *table) put(p print) {
	if t.len >= len(t.keys)/4*3 {
		t.grow()
	}
	i := t.slot(p.key)
	if t.keys[i] == 0 {
		t.len++
	}
	t.keys[i], t.values[i] = p.key, p.values
}

// clear forgets everything and keeps the memory.
func (t *table) clear() {
	clear(t.keys)
	t.len = 0
}

func (t *table) grow() {
	old := *t
	slots := max(firstSlots, 2*len(old.keys))
	t.keys, t.values = make([]uint64, slots), make([]uint32, slots)
	for i, key := range old.keys {
		if key != 0 {
			j := t.slot(key)
			t.keys[j], t.values[j] = key, old.values[i]
		}
	}
}
