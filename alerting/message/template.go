package message

import (
	"fmt"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n/template"
)

// braces parses the catalogue's texts: {name} is a placeholder, isolated from
// the text around it, and [..] isolates a number together with its unit:
// "short [{mw} MW] ([{pct}%])". Neither nests in itself.
type braces struct{}

var _ template.Parser = braces{}

// Cacheable implements template.Parser.
func (braces) Cacheable() bool { return true }

// Parse implements template.Parser.
func (braces) Parse(src, _, _ string) (template.ParsedTemplate, error) {
	parts, err := parse(src)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", src, err)
	}
	return parts, nil
}

// part of a text: text as it stands, a placeholder, or an isolate of parts.
type part struct {
	text, name string
	group      text
}

// text is a parsed text.
type text []part

func parse(src string) (text, error) {
	var parts text
	for src != "" {
		i := strings.IndexAny(src, "{}[]")
		if i < 0 {
			return append(parts, part{text: src}), nil
		}
		if i > 0 {
			parts = append(parts, part{text: src[:i]})
		}
		inside, rest, err := enclosed(src[i:])
		if err != nil {
			return nil, err
		}
		if src[i] == '{' {
			parts = append(parts, part{name: inside})
		} else {
			group, err := parse(inside)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{group: group})
		}
		src = rest
	}
	return parts, nil
}

// enclosed cuts src, which begins with a bracket, behind its partner.
func enclosed(src string) (inside, rest string, err error) {
	partner := map[byte]string{'{': "}", '[': "]"}[src[0]]
	if partner == "" {
		return "", "", fmt.Errorf("%q closes nothing", src[0])
	}
	inside, rest, found := strings.Cut(src[1:], partner)
	if !found {
		return "", "", fmt.Errorf("%q is not closed", src[0])
	}
	if inside == "" || strings.IndexByte(inside, src[0]) >= 0 || (src[0] == '{' && strings.ContainsAny(inside, "[]")) {
		return "", "", fmt.Errorf("%q encloses %q", src[0], inside)
	}
	return inside, rest, nil
}

// value is what a placeholder stands for.
type value struct {
	text  string
	count string // for plurals: the rounded number as decimal digits; empty: it is none
	// known is false where nobody measured it: text is then the word for that.
	known bool
	// phrase says that text is in the language of the message and needs no isolate.
	phrase bool
}

// lookup finds the values of a message's placeholders.
type lookup func(name string) value

// Execute implements template.ParsedTemplate; data is a lookup.
func (t text) Execute(data any) (string, error) {
	find, ok := data.(lookup)
	if !ok {
		return "", fmt.Errorf("fill a text from %T", data)
	}
	var filled string
	for _, p := range t {
		switch {
		case p.group != nil:
			filled += p.group.together(find)
		case p.name != "":
			v := find(p.name)
			if !v.phrase {
				filled, v.text = sayOnce(filled, v.text)
			}
			filled += v.isolated()
		default:
			filled += p.text
		}
	}
	return filled, nil
}

// together fills an isolate. If one value is not known its unit means nothing,
// and the word for unknown stands for it all.
func (t text) together(find lookup) string {
	var b strings.Builder
	for _, p := range t {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v := find(p.name)
		if !v.known {
			return v.text
		}
		b.WriteString(v.text)
	}
	return isolate(b.String())
}

func (v value) isolated() string {
	if v.phrase {
		return v.text
	}
	return isolate(v.text)
}

// names lists the placeholders of t.
func (t text) names() []string {
	var names []string
	for _, p := range t {
		if p.name != "" {
			names = append(names, p.name)
		}
		names = append(names, p.group.names()...)
	}
	return names
}

// sayOnce drops a noun that the text and the name after it both say; the
// article makes no difference. With "مخرج 01", "على المخرج" becomes "على المخرج
// 01"; but "خزان ديزل" needs its noun, and "في الخزان" gives up its own.
func sayOnce(before, name string) (string, string) {
	head, rest, found := strings.Cut(name, " ")
	words := strings.Fields(before)
	if !found || !isArabic(head) || !strings.HasSuffix(before, " ") {
		return before, name
	}
	for _, word := range words[max(0, len(words)-2):] {
		if strings.TrimPrefix(word, "ال") != strings.TrimPrefix(head, "ال") {
			continue
		}
		if strings.HasPrefix(head, "ال") || strings.IndexAny(rest, "0123456789") == 0 {
			return before, rest
		}
		return before[:strings.LastIndex(before, word)], name
	}
	return before, name
}
