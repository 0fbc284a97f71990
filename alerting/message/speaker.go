package message

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	xmessage "golang.org/x/text/message"
)

// speaker puts one notice into words of one language. The first thing that
// fails is kept in err; what it says after that is not to be used.
type speaker struct {
	catalogue
	language Language
	numerals *xmessage.Printer
	names    Names
	zone     *time.Location
	now      time.Time
	err      error
}

// values are fixed values of placeholders.
type values map[string]value

// lookup finds a value; what is not there is a fault of the catalogue and shows
// as nothing.
func (v values) lookup(name string) value { return v[name] }

// phrase is a value that is already in the message's language.
func phrase(text string) value { return value{text: text, known: true, phrase: true} }

// say fills the message of that id. Without placeholders find may be nil.
func (s *speaker) say(id string, find lookup) string {
	if find == nil {
		find = values{}.lookup
	}
	var count string
	if name := s.counts[id]; name != "" {
		count = find(name).count
	}
	text, err := s.fill(id, find, count)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("say %s in %s: %w", id, s.language, err)
	}
	return text
}

// counted says a message that is only a number with its noun.
func (s *speaker) counted(id string, n int) string {
	return s.say(id, values{"n": s.count(n)}.lookup)
}

func (s *speaker) unknown() value {
	return value{text: s.say("word.unknown", nil), phrase: true}
}

// word translates a word of a finding: one of the catalogue's words for that
// placeholder, a resource, an alert kind, an object's id, or, failing these, as it is.
func (s *speaker) word(name, word string) value {
	for _, id := range []string{"word." + name + "." + word, "word.res." + word} {
		if s.has(id) {
			return phrase(s.say(id, nil))
		}
	}
	if id := "kind." + word + ".title"; s.has(id) {
		return phrase(small(s.say(id, nil)))
	}
	return s.named(word)
}

// named is the name of an object, in this language if it has one there, else in
// the other; an id that nobody knows is its own name.
func (s *speaker) named(id string) value {
	names := []string{id}
	if o, ok := s.names.Object(id); ok {
		names = []string{o.Name.En, o.Name.Ar, id}
		if s.language == Arabic {
			names[0], names[1] = names[1], names[0]
		}
	}
	for _, name := range names {
		if name = clean(name); name != "" {
			return value{text: name, known: true}
		}
	}
	return s.unknown()
}

// joined strings words together, two by two.
func (s *speaker) joined(joint string, words ...string) string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	if len(words) == 0 {
		return ""
	}
	all := words[0]
	for _, w := range words[1:] {
		all = s.say(joint, values{"a": phrase(all), "b": phrase(w)}.lookup)
	}
	return all
}

// list names the objects, the first limit of them; 0: all.
func (s *speaker) list(ids []string, limit int) string {
	shown := ids
	if limit > 0 && len(ids) > limit {
		shown = ids[:limit]
	}
	words := make([]string, 0, len(shown)+1)
	for _, id := range shown {
		words = append(words, s.named(id).isolated())
	}
	if rest := len(ids) - len(shown); rest > 0 {
		words = append(words, s.counted("count.more", rest))
	}
	return s.joined("joint.list", words...)
}

// small makes the first letter of an English title small, for the middle of a
// sentence.
func small(text string) string {
	for i, r := range text {
		return strings.ToLower(string(r)) + text[i+len(string(r)):]
	}
	return text
}

// capital makes the first letter of an English text large. Names, which begin
// with an isolate, stay as they are.
func capital(text string) string {
	for i, r := range text {
		return strings.ToUpper(string(r)) + text[i+len(string(r)):]
	}
	return text
}

// fill puts values into the message of that id; count decides on the plural
// form, unless it is empty.
func (s *speaker) fill(id string, find lookup, count string) (string, error) {
	c := &i18n.LocalizeConfig{MessageID: id, TemplateData: find, TemplateParser: braces{}}
	if count != "" {
		c.PluralCount = count
	}
	return s.localizer.Localize(c)
}
