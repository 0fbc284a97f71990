package zone

import "slices"

// reference finds the object that a key names and reports a missing, dangling
// or wrong one. role begins the sentence about what would be right: "a feeder
// comes from".
func (c *checker) reference(at Place, id, role string, kinds ...Kind) (entry, bool) {
	if id == "" {
		c.add(at, "missing; %s %s", role, kindWords(kinds))
		return entry{}, false
	}
	e, ok := c.index[id]
	if !ok {
		var known []string
		for _, k := range kinds {
			known = append(known, c.ids[k]...)
		}
		c.add(at, "there is no %s with id %s%s", kindsOr(kinds), excerpt(id), c.suggest(id, known))
		return entry{}, false
	}
	if !slices.Contains(kinds, e.Kind) {
		c.addSee(at, e.Place, "%q is a %s; %s %s", id, e.Kind.words(), role, kindWords(kinds))
		return entry{}, false
	}
	return e, true
}

// zone checks that a key names a zone of the file's own city.
func (c *checker) zone(at Place, id, city string) {
	e, ok := c.index[id]
	if ok && e.Kind == ZoneKind && e.City == city {
		return
	}
	if e, ok = c.reference(at, id, "it lies in", ZoneKind); ok {
		c.addSee(at, e.Place, "zone %q belongs to city %s; list this in that city's file", id, excerpt(e.City))
	}
}

// kindWords is "a substation or a feeder".
func kindWords(kinds []Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = "a " + k.words()
	}
	return either(out)
}

// kindsOr is "substation or feeder".
func kindsOr(kinds []Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.words()
	}
	return either(out)
}
