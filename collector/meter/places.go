package meter

import "hash/maphash"

// Places finds a meter in a list by what names it. It holds places alone, at 8 to
// 16 bytes a meter, and asks the list for the names: a map that has them in its
// keys takes 80. It is not safe for concurrent changes.
type Places struct {
	names func(place int) (zone string, utility Utility, meter string)
	seed  maphash.Seed
	slots []int32 // open addressing, at most half full: 1 + place; 0: free
	len   int
}

// NewPlaces returns the places of an empty list; names must know those that are
// added.
func NewPlaces(names func(place int) (zone string, utility Utility, meter string)) *Places {
	return &Places{names: names, seed: maphash.MakeSeed(), slots: make([]int32, 16)}
}

// Find returns a meter's place.
func (p *Places) Find(zone string, utility Utility, meter string) (place int, ok bool) {
	i := p.slots[p.slot(zone, utility, meter)]
	return int(i) - 1, i != 0
}

// Add takes the place of a meter that was not there yet.
func (p *Places) Add(place int) {
	p.slots[p.slot(p.names(place))] = int32(place + 1)
	if p.len++; 2*p.len > len(p.slots) {
		p.grow()
	}
}

// slot returns where a meter is, or the free slot where it belongs.
func (p *Places) slot(zone string, utility Utility, meter string) int {
	last := len(p.slots) - 1
	at := int(maphash.Comparable(p.seed, [...]string{zone, string(utility), meter})) & last
	for p.slots[at] != 0 && !p.holds(at, zone, utility, meter) {
		at = (at + 1) & last
	}
	return at
}

func (p *Places) holds(slot int, zone string, utility Utility, meter string) bool {
	z, u, m := p.names(int(p.slots[slot] - 1))
	return m == meter && z == zone && u == utility
}

func (p *Places) grow() {
	old := p.slots
	p.slots = make([]int32, 2*len(old))
	for _, i := range old {
		if i != 0 {
			p.slots[p.slot(p.names(int(i-1)))] = i
		}
	}
}
