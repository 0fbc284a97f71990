package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imdad-telemetry/imdad/collector/decode"
)

const profilePages = "../../configs/profiles"

var (
	pageSource  = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	pageExample = regexp.MustCompile("(?s)Topic `([^`]*)`\n\n```(?:json|hex)\n(.*?)\n```\n\n```text\n(.*?)```")
)

// TestProfilePages holds each profile's page to what it says: its source loads,
// and its examples come out as shown.
func TestProfilePages(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile(filepath.Join(profilePages, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range decode.Profiles() {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			if link := "[" + profile + "](" + profile + ".md)"; !strings.Contains(string(index), link) {
				t.Errorf("README.md lacks %s", link)
			}
			page, err := os.ReadFile(filepath.Join(profilePages, profile+".md"))
			if err != nil {
				t.Fatal(err)
			}
			source := pageSource.FindSubmatch(page)
			examples := pageExample.FindAllSubmatch(page, -1)
			if source == nil || len(examples) == 0 {
				t.Fatal("the page has no source or no example")
			}
			config := filepath.Join(t.TempDir(), "imdad.yaml")
			least := "mqtt: {brokers: [\"tcp://127.0.0.1:1883\"], client_id: imdad}\ninflux: {url: \"http://127.0.0.1:8086\", bucket: utility}\n"
			if err := os.WriteFile(config, append([]byte(least), source[1]...), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, example := range examples {
				tryExample(t, config, example)
			}
		})
	}
}

// tryExample decodes one example: topic, payload, what comes out.
func tryExample(t *testing.T, config string, example [][]byte) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	payload := example[2]
	if bytes.Contains(example[0], []byte("```hex")) { // a binary one
		var err error
		if payload, err = hex.DecodeString(strings.Join(strings.Fields(string(payload)), "")); err != nil {
			t.Fatal(err)
		}
	}
	e := &env{ctx: t.Context(), stdin: bytes.NewReader(payload), stdout: &stdout, stderr: &stderr}
	code := execute(e, []string{"decode", "--config", config, "--topic", string(example[1]), "--received", "2026-11-23T08:15:00Z"})
	var got strings.Builder
	for line := range strings.Lines(stdout.String()) {
		got.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if code != 0 || got.String() != string(example[3]) {
		t.Errorf("%s: exit code %d %s\ngot\n%s\nwant\n%s", example[1], code, stderr.String(), got.String(), example[3])
	}
}
