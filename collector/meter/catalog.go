package meter

// Catalog hands out one Series per meter. It is bounded, since meter ids come
// from outside: a publisher that invents a new id in each message must not
// fill the memory. It is not safe for concurrent use.
type Catalog struct {
	max    int
	series map[key]*Series
}

type key struct {
	zone    string
	utility Utility
	meter   string
}

// NewCatalog returns an empty catalog of at most max meters. A meter costs
// about 300 bytes here, and whatever the stages keep for it.
func NewCatalog(max int) *Catalog {
	return &Catalog{max: max, series: make(map[key]*Series)}
}

// Get returns the meter's Series, made at first sight; nil if the catalog is
// full. The strings must not alias a reused buffer.
func (c *Catalog) Get(zone string, utility Utility, meter string) *Series {
	k := key{zone, utility, meter}
	if s, ok := c.series[k]; ok {
		return s
	}
	if len(c.series) >= c.max {
		return nil
	}
	s := &Series{Zone: zone, Utility: utility, Meter: meter, Index: len(c.series)}
	c.series[k] = s
	return s
}

// Len returns the number of meters seen.
func (c *Catalog) Len() int { return len(c.series) }
