package message

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.html
var pageSource string

// tones are the colours of a page's head, each dark enough for white letters
// (contrast 4.5 or more).
var tones = map[string]string{
	"s4": "#8a1c1c", "s3": "#b3361e", "s2": "#8a5a00", "s1": "#44566c",
	"returned": "#1f6b43", "notice": "#1d4e79",
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{"bdi": bdi, "bare": bare}).Parse(pageSource))

// html lays the notice out as a page that mail programs show: tables, styles
// in the elements, nothing fetched from elsewhere.
func (n *notice) html() (string, error) {
	direction, start, fonts := "ltr", "left", `'Segoe UI', Arial, sans-serif`
	if n.Language == Arabic {
		direction, start, fonts = "rtl", "right", `'Segoe UI', Tahoma, 'Noto Naskh Arabic', Arial, sans-serif`
	}
	colour, ok := tones[n.Tone]
	if !ok {
		colour = tones["notice"]
	}
	var b strings.Builder
	err := page.Execute(&b, struct {
		*notice
		Direction, Start string // rtl, right: old mail programs know no logical sides
		Fonts            template.CSS
		Colour           string
	}{n, direction, start, template.CSS(fonts), colour})
	if err != nil {
		return "", fmt.Errorf("render page: %w", err)
	}
	return b.String(), nil
}

// bdi escapes s and turns its isolates into elements.
func bdi(s string) template.HTML {
	s = template.HTMLEscapeString(s)
	return template.HTML(strings.NewReplacer(fsi, "<bdi>", pdi, "</bdi>").Replace(s)) //nolint:gosec // escaped above
}
