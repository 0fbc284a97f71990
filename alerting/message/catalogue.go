package message

import (
	"embed"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed active.*.yaml
var catalogueFiles embed.FS

// Languages are those that there is a catalogue for.
var Languages = []Language{English, Arabic}

// countable are the placeholders that a noun may agree with.
var countable = []string{"n", "h", "d", "l", "s"}

// catalogue is the texts of one language.
type catalogue struct {
	localizer *i18n.Localizer
	// counts says for each message which placeholder it agrees with; empty for
	// messages without plurals.
	counts map[string]string
}

// loadCatalogues reads the embedded texts.
func loadCatalogues() (map[Language]catalogue, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", func(data []byte, v any) error { return yaml.Unmarshal(data, v) })
	all := map[Language]catalogue{}
	for _, l := range Languages {
		name := fmt.Sprintf("active.%s.yaml", l)
		data, err := catalogueFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		file, err := bundle.ParseMessageFileBytes(data, name)
		if err != nil {
			return nil, fmt.Errorf("parse catalogue %s: %w", name, err)
		}
		c := catalogue{counts: make(map[string]string, len(file.Messages))}
		for _, m := range file.Messages {
			if c.counts[m.ID], err = counted(m); err != nil {
				return nil, fmt.Errorf("catalogue %s: %s: %w", name, m.ID, err)
			}
		}
		all[l] = c
	}
	for _, l := range Languages {
		c := all[l]
		c.localizer = i18n.NewLocalizer(bundle, string(l))
		all[l] = c
	}
	return all, nil
}

// counted returns the placeholder that decides between the forms of m.
func counted(m *i18n.Message) (string, error) {
	t, err := parse(m.Other)
	if err != nil || m.One == "" {
		return "", err
	}
	for _, name := range t.names() {
		if slices.Contains(countable, name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("plural forms, but nothing to count in %q", m.Other)
}

// has tells whether there is a message of that id.
func (c catalogue) has(id string) bool {
	_, ok := c.counts[id]
	return ok
}
