package configs

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// TestWrongConfigs loads each file of testdata/wrong and compares everything
// reported with the .txt file beside it.
func TestWrongConfigs(t *testing.T) {
	t.Parallel()
	files := glob(t, "testdata/wrong/*.yaml")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			s := defaultSample()
			_, err := Load(file, &s)
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err)
		})
	}
}

// TestWrongRegistries does the same with each directory of testdata/registry.
func TestWrongRegistries(t *testing.T) {
	t.Parallel()
	for _, dir := range glob(t, "testdata/registry/*") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			_, err := LoadRegistry([]string{dir + "/*.yaml"})
			golden(t, dir+"/want.txt", err)
		})
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	return files
}

// golden compares the mistakes with a file, or writes it.
func golden(t *testing.T, file string, got error) {
	t.Helper()
	if got == nil {
		t.Fatal("no mistake was found")
	}
	text := got.Error() + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s differs.\ngot:\n%s\nwant:\n%s", file, text, want)
	}
}
