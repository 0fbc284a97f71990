package sparkplugpb_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestGenerated holds the Go file to the .proto: `make proto` writes the sums
// of both when it compiles the one into the other.
func TestGenerated(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("sparkplug.sum")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has changed since `make proto`", name)
		}
		files++
	}
	if files != 2 {
		t.Errorf("sums of %d files, want 2", files)
	}
}
