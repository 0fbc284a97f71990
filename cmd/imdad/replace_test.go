package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		holds   string // by the time it is replaced
		mode    os.FileMode
		refused string
	}{
		{"as it was read", "old", 0o640, ""},
		{"edited meanwhile", "edited", 0o640, "was edited meanwhile; try again"},
		{"read-only", "old", 0o440, "is read-only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, link := filepath.Join(dir, "list.csv"), filepath.Join(dir, "link.csv")
			if err := os.WriteFile(path, []byte(tt.holds), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			want := "new"
			err := replaceFile(link, []byte("old"), []byte("new"))
			if tt.refused != "" {
				want = tt.holds
				if err == nil || !strings.Contains(err.Error(), tt.refused) && !os.IsPermission(err) {
					t.Errorf("%v, want %s", err, tt.refused)
				}
			} else if err != nil {
				t.Error(err)
			}
			info, err := os.Stat(path)
			if text, readErr := os.ReadFile(path); err != nil || readErr != nil || string(text) != want || info.Mode().Perm() != tt.mode {
				t.Errorf("%q, %v, %v, %v", text, info.Mode(), err, readErr)
			}
			if target, err := os.Readlink(link); err != nil || target != path {
				t.Errorf("the link is gone: %v", err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
