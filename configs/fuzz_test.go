package configs

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/imdad-telemetry/imdad/collector/zone"
)

// inside checks that each mistake lies in the text of the file it names.
func inside(t *testing.T, err error, files map[string]string) {
	t.Helper()
	if err == nil {
		return
	}
	var ms Mistakes
	if !errors.As(err, &ms) || len(ms) == 0 {
		t.Fatalf("%v is %T, not Mistakes", err, err)
	}
	split := make(map[string][]string)
	for name, text := range files {
		split[name] = strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	}
	for _, m := range ms {
		lines, ok := split[m.File]
		if !ok {
			t.Fatalf("%v: no such file", m)
		}
		if m.Line == 0 {
			continue
		}
		if m.Line < 0 || m.Line > len(lines) {
			t.Fatalf("%v: the file has %d lines", m, len(lines))
		}
		width := utf8.RuneCountInString(lines[m.Line-1])
		if m.Column < 1 || m.Column > width+1 {
			t.Fatalf("%v: the line has %d characters", m, width)
		}
		if strings.Contains(m.Message, "\n") {
			t.Fatalf("%q: more than one line", m.Message)
		}
	}
}

// addFiles seeds a fuzz target with files from testdata and the shipped ones.
func addFiles(f *testing.F, add func(text []byte), patterns ...string) {
	f.Helper()
	for _, p := range patterns {
		paths, _ := expand([]string{p})
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			add(text)
		}
	}
}

func FuzzLoad(f *testing.F) {
	addFiles(f, func(text []byte) {
		if len(text) < 4<<10 {
			f.Add(text)
		}
	}, "testdata/wrong/*.yaml", "cities/*.yaml")
	f.Add([]byte("mqtt:\n  brokers: [\"tcp://a:1\"]\n  keep_alive: 1m\nlabels: {a: b}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 64<<10 {
			return
		}
		s := defaultSample()
		doc, err := parseText("f", text, &s)
		inside(t, err, map[string]string{"f": string(text)})
		if err == nil {
			doc.At("mqtt.brokers[0]")
		}
	})
}

const fuzzCity = `city: {id: c, name: {en: C, ar: م}}
zones: [{id: z, name: {en: Z, ar: م}}]
substations: [{id: s, name: {en: S, ar: م}}]
feeders: [{id: f1, name: {en: F, ar: م}, zone: z, from: s}, {id: f2, name: {en: F, ar: م}, zone: z, from: f1}]
meters: [{id: m0, zone: z, utility: electricity, at: s}]
meters_csv: [a.csv]
`

func FuzzRegistry(f *testing.F) {
	const list = "id,zone,utility,at,interval_s\nm1,z,electricity,s,5\n"
	f.Add([]byte(fuzzCity), []byte(list))
	addFiles(f, func(text []byte) { f.Add(text, []byte(list)) }, "testdata/registry/*/*.yaml")
	addFiles(f, func(text []byte) { f.Add([]byte(fuzzCity), text) }, "testdata/registry/*/*.csv")
	f.Fuzz(func(t *testing.T, city, list []byte) {
		if len(city) > 64<<10 || len(list) > 64<<10 {
			return
		}
		src, ms := newSource("city", city)
		if ms != nil {
			inside(t, ms.err(), map[string]string{"city": string(city)})
			return
		}
		l := &registryLoader{}
		l.add(src, func(string) (*source, Mistakes) { return newSource("list", list) })
		if !l.incomplete {
			l.check()
		}
		err := l.mistakes.err()
		inside(t, err, map[string]string{"city": string(city), "list": string(list)})
		if err == nil {
			if _, err := zone.New(l.files); err != nil {
				t.Fatalf("no mistake found, but: %v", err)
			}
		}
	})
}
