package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme loads the files that the README shows: those of one name are one.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, block := range regexp.MustCompile("(?s)```yaml\n# (\\w+\\.yaml).*?```").FindAllStringSubmatch(string(text), -1) {
		files[block[1]] += strings.TrimSuffix(strings.TrimPrefix(block[0], "```yaml\n"), "```")
	}
	if len(files) != 3 {
		t.Fatalf("%d files", len(files))
	}
	shipped, err := filepath.Abs("../../configs/cities")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range files {
		content = strings.ReplaceAll(content, `"cities/`, `"`+shipped+"/")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := loadSetup(filepath.Join(dir, "imdad.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.people.People) != 1 || len(s.rules.Custom) != 1 || len(s.Channels.names()) != 3 {
		t.Errorf("%d people, %d rules of one's own, channels %v", len(s.people.People), len(s.rules.Custom), s.Channels.names())
	}
}
