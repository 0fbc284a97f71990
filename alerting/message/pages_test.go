package message_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/alerting/message"
	"github.com/imdad-telemetry/imdad/alerting/rule"
)

// pageFolder has a page for each kind of alarm. The head of each is made from
// the kind's defaults and texts.
var pageFolder = filepath.Join("..", "..", "configs", "alarms")

const (
	headBegins = "<!-- generated from alerting/rule and alerting/message: go test ./alerting/message -run TestPages -update -->\n"
	headEnds   = "<!-- end of what is generated -->\n"
)

// chapters are those that people write.
var chapters = []string{"## Meaning", "## Raised and cleared", "## First action", "## Likely causes", "## Related"}

func TestPagesAgreeWithTheCatalogue(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	heads := map[string]string{"ration.upcoming": upcomingHead(t, r)}
	for _, k := range rule.Kinds() {
		heads[k.ID] = kindHead(t, r, k)
	}
	for _, id := range slices.Sorted(maps.Keys(heads)) {
		t.Run(id, func(t *testing.T) {
			checkPage(t, id, headBegins+heads[id]+headEnds)
		})
	}
	t.Run("README", func(t *testing.T) { checkIndex(t, r) })
	files, err := filepath.Glob(filepath.Join(pageFolder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		id := strings.TrimSuffix(filepath.Base(f), ".md")
		if heads[id] == "" && id != "README" {
			t.Errorf("%s describes no kind of alarm", f)
		}
	}
}

// checkIndex holds README.md, the list of all pages, against the catalogue.
func checkIndex(t *testing.T, r *message.Renderer) {
	t.Helper()
	b := strings.Builder{}
	b.WriteString(headBegins + `# Alarms

One page for each kind of alarm: what it means, what raises and ends it, and what to do first. The table at the head of
each page holds the defaults; a city changes them in its rules. Durations are written as in the configuration.

| kind | English | العربية | severity |
|---|---|---|---|
`)
	row := func(kind, severity string) {
		en, ar := titlesOf(t, r, kind)
		fmt.Fprintf(&b, "| [\x60%s\x60](%s.md) | %s | %s | %s |\n", kind, kind, en, ar, severity)
	}
	for _, k := range rule.Kinds() {
		row(k.ID, k.Severity.String())
	}
	row("ration.upcoming", "a notice")
	path := filepath.Join(pageFolder, "README.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if is, err := os.ReadFile(path); err != nil || string(is) != b.String() {
		t.Errorf("%s is not up to date (run with -update): %v", path, err)
	}
}

// related finds the links between pages.
var related = regexp.MustCompile(`\]\(([a-z_.]+\.md)\)`)

func checkPage(t *testing.T, id, head string) {
	t.Helper()
	path := filepath.Join(pageFolder, id+".md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old, body, found := strings.Cut(string(data), headEnds)
	if !found {
		t.Fatalf("%s: the line %q is missing", path, headEnds)
	}
	if *update {
		if err := os.WriteFile(path, []byte(head+body), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old+headEnds != head {
		t.Errorf("%s has another head (run with -update)\n--- is\n%s\n--- should be\n%s", path, old, head)
	}
	for _, chapter := range chapters {
		if _, text, _ := strings.Cut(body, "\n"+chapter+"\n\n"); len(text) < 20 {
			t.Errorf("%s: nothing under %q", path, chapter)
		}
	}
	for _, link := range related.FindAllStringSubmatch(body, -1) {
		if _, err := os.Stat(filepath.Join(pageFolder, link[1])); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// kindHead is the title, the first action and the table of a kind's defaults.
func kindHead(t *testing.T, r *message.Renderer, k rule.Kind) string {
	t.Helper()
	var b strings.Builder
	en, ar := titlesOf(t, r, k.ID)
	fmt.Fprintf(&b, "# `%s`: %s · %s\n", k.ID, en, ar)
	for _, l := range message.Languages {
		x := render(t, r, content(message.Alarm, sample(t, k.ID)), l)
		statement(&b, l, x.Subject, x.Plain)
	}
	b.WriteString("\n| default | |\n|---|---|\n")
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, fmt.Sprintf(format, args...))
	}
	severity := k.Severity.String()
	if has(k.Severe) {
		severity += fmt.Sprintf("; %s at %s", k.Stepped, threshold(k.Severe, k.Unit, k.Falling))
	}
	row("severity", "%s", severity)
	row("told", "%s", words(k.To))
	row("judged for", "each %s", words(k.About))
	if has(k.On) {
		row("`on`: raised at", "%s", threshold(k.On, k.Unit, k.Falling))
	}
	row("`on_delay`: after", "%s", delay(k.OnDelay))
	switch {
	case k.Latched:
		row("ends", "by hand")
	case has(k.Clear):
		row("`clear`: ends at", "%s", threshold(k.Clear, k.Unit, !k.Falling))
	}
	if !k.Latched {
		row("`off_delay`: after", "%s", delay(k.OffDelay))
	}
	for _, p := range k.Params {
		row("`"+p.Name+"`", "%s: %s", number(p.Default), p.Meaning)
	}
	return b.String()
}

func upcomingHead(t *testing.T, r *message.Renderer) string {
	t.Helper()
	var b strings.Builder
	en, ar := titlesOf(t, r, "ration.upcoming")
	fmt.Fprintf(&b, "# `ration.upcoming`: %s · %s\n", en, ar)
	for _, l := range message.Languages {
		x := render(t, r, notices(t)["upcoming"], l)
		statement(&b, l, x.Subject, x.Plain)
	}
	return b.String()
}

// titlesOf names a kind in English and Arabic.
func titlesOf(t *testing.T, r *message.Renderer, kind string) (en, ar string) {
	t.Helper()
	en, err := r.Title(kind, message.English)
	if err != nil {
		t.Fatal(err)
	}
	if ar, err = r.Title(kind, message.Arabic); err != nil {
		t.Fatal(err)
	}
	return en, ar
}

// statement quotes what a message of that kind says, and what it says to do.
func statement(b *strings.Builder, l message.Language, subject, plain string) {
	noIsolates := strings.NewReplacer("\u2068", "", "\u2069", "")
	label, do := "Do first: ", ""
	if l == message.Arabic {
		label = "الإجراء الأول: "
	}
	for line := range strings.Lines(plain) {
		if rest, ok := strings.CutPrefix(line, label); ok {
			do = strings.TrimSpace(rest)
		}
	}
	if l == message.Arabic {
		fmt.Fprintf(b, "\n<div dir=\"rtl\" lang=\"ar\">\n\n> **%s**<br>\n> %s%s\n\n</div>\n", noIsolates.Replace(subject), label, noIsolates.Replace(do))
		return
	}
	fmt.Fprintf(b, "\n> **%s**<br>\n> %s%s\n", noIsolates.Replace(subject), label, noIsolates.Replace(do))
}

func has(threshold float64) bool { return !math.IsNaN(threshold) }

// threshold says a threshold and on which side of it the condition lies.
func threshold(v float64, unit string, falling bool) string {
	side := "or more"
	if falling {
		side = "or less"
	}
	return strings.Join([]string{number(v), unit, side}, " ")
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func words[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = strings.ReplaceAll(string(w), "_", " ")
	}
	return strings.Join(out, ", ")
}

// delay writes a duration as a configuration does: 10m, not 10m0s.
func delay(d time.Duration) string {
	if d == 0 {
		return "at once"
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}
