package meter

import "hash/maphash"

// Catalog hands out one Series per meter. It is bounded, since meter ids come
// from outside: a publisher that invents a new id in each message must not
// fill the memory. It is not safe for concurrent use.
type Catalog struct {
	max    int
	len    int
	blocks [][]Series // which never move, of blockLen each
	seed   maphash.Seed
	slots  []int32 // open addressing, at most half full: 1 + Index; 0: free
}

const blockLen = 256

// NewCatalog returns an empty catalog of at most max meters. A meter costs
// about 70 bytes here, and its names and whatever the stages keep for it.
func NewCatalog(max int) *Catalog {
	return &Catalog{max: max, seed: maphash.MakeSeed(), slots: make([]int32, 2*blockLen)}
}

// Get returns the meter's Series, made at first sight; nil if the catalog is
// full. The strings must not alias a reused buffer.
func (c *Catalog) Get(zone string, utility Utility, meter string) *Series {
	slot := c.slot(zone, utility, meter)
	if i := c.slots[slot]; i != 0 {
		return c.at(i)
	}
	if c.len >= c.max {
		return nil
	}
	if c.len%blockLen == 0 {
		c.blocks = append(c.blocks, make([]Series, blockLen))
	}
	c.len++
	s := c.at(int32(c.len))
	*s = Series{Zone: zone, Utility: utility, Meter: meter, Index: c.len - 1}
	if c.slots[slot] = int32(c.len); 2*c.len >= len(c.slots) {
		c.grow()
	}
	return s
}

// Len returns the number of meters seen.
func (c *Catalog) Len() int { return c.len }

func (c *Catalog) at(i int32) *Series { return &c.blocks[(i-1)/blockLen][(i-1)%blockLen] }

// slot returns where a meter is, or the free place where it belongs.
func (c *Catalog) slot(zone string, utility Utility, meter string) int {
	h := maphash.Comparable(c.seed, [...]string{zone, string(utility), meter})
	for at := int(h) & (len(c.slots) - 1); ; at = (at + 1) & (len(c.slots) - 1) {
		i := c.slots[at]
		if i == 0 {
			return at
		}
		if s := c.at(i); s.Meter == meter && s.Zone == zone && s.Utility == utility {
			return at
		}
	}
}

func (c *Catalog) grow() {
	c.slots = make([]int32, 2*len(c.slots))
	for i := int32(1); int(i) <= c.len; i++ {
		s := c.at(i)
		c.slots[c.slot(s.Zone, s.Utility, s.Meter)] = i
	}
}
