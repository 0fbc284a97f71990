package message

import (
	"fmt"
	"time"

	xmessage "golang.org/x/text/message"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// Names knows what objects are called; *zone.Registry does. It is called from
// whoever calls Render.
type Names interface {
	Object(id string) (zone.Object, bool)
}

// Renderer puts contents into words. It is safe for concurrent use.
type Renderer struct {
	names      Names
	catalogues map[Language]catalogue
	numerals   map[Language]*xmessage.Printer
}

// New returns a Renderer that takes the names of objects from names.
func New(names Names) (*Renderer, error) {
	catalogues, err := loadCatalogues()
	if err != nil {
		return nil, err
	}
	r := &Renderer{names: names, catalogues: catalogues, numerals: map[Language]*xmessage.Printer{}}
	for _, l := range Languages {
		r.numerals[l] = numerals(l)
	}
	return r, nil
}

// Render puts c into words of language l. Times are shown in loc, the city's;
// nil is UTC. Numbers and words that a finding lacks read "unknown", objects
// that the registry lacks read as their ids. It fails for a language or a type
// that there are no texts for, and for an alarm notice without alarms.
func (r *Renderer) Render(c Content, l Language, loc *time.Location) (Text, error) {
	s, err := r.speaker(l, loc, c.now())
	if err != nil {
		return Text{}, err
	}
	n, err := s.notice(c)
	if err != nil {
		return Text{}, err
	}
	t := Text{Subject: n.Subject, Plain: n.plain(), Short: s.short(n)}
	if t.HTML, err = n.html(); err != nil {
		return Text{}, err
	}
	return t, s.err
}

// Title names a kind of alarm in a few words; an own rule's kind by its id.
func (r *Renderer) Title(kind string, l Language) (string, error) {
	s, err := r.speaker(l, nil, time.Time{})
	if err != nil {
		return "", err
	}
	return bare(s.title(kind)), s.err
}

func (r *Renderer) speaker(l Language, loc *time.Location, now time.Time) (*speaker, error) {
	texts, ok := r.catalogues[l]
	if !ok {
		return nil, fmt.Errorf("render: there are no texts in language %q", l)
	}
	if loc == nil {
		loc = time.UTC
	}
	return &speaker{catalogue: texts, language: l, numerals: r.numerals[l], names: r.names, zone: loc, now: now}, nil
}

// now is when the notice was made, as well as can be told.
func (c Content) now() time.Time {
	newest := c.Now
	if newest.IsZero() {
		for _, a := range c.Alarms {
			for _, t := range []time.Time{a.Since, a.Raised, a.Changed} {
				if t.After(newest) {
					newest = t
				}
			}
		}
	}
	return newest
}
