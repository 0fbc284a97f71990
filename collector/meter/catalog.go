package meter

// Catalog hands out one Series per meter. It is bounded, since meter ids come
// from outside: a publisher that invents a new id in each message must not
// fill the memory. It is not safe for concurrent use.
type Catalog struct {
	max    int
	len    int
	blocks [][]Series // of blockLen each, which never move
	places *Places
}

const blockLen = 256

// NewCatalog returns an empty catalog of at most max meters. A meter costs
// about 70 bytes here, besides its names and whatever the stages keep for it.
func NewCatalog(max int) *Catalog {
	c := &Catalog{max: max}
	c.places = NewPlaces(func(place int) (string, Utility, string) {
		s := c.at(place)
		return s.Zone, s.Utility, s.Meter
	})
	return c
}

// Get returns the meter's Series, made at first sight; nil if the catalog is
// full. The strings must not alias a reused buffer.
func (c *Catalog) Get(zone string, utility Utility, meter string) *Series {
	if place, ok := c.places.Find(zone, utility, meter); ok {
		return c.at(place)
	}
	if c.len >= c.max {
		return nil
	}
	if c.len%blockLen == 0 {
		c.blocks = append(c.blocks, make([]Series, blockLen))
	}
	s := c.at(c.len)
	*s = Series{Zone: zone, Utility: utility, Meter: meter, Index: c.len}
	c.places.Add(c.len)
	c.len++
	return s
}

// Len returns the number of meters seen.
func (c *Catalog) Len() int { return c.len }

func (c *Catalog) at(place int) *Series { return &c.blocks[place/blockLen][place%blockLen] }
