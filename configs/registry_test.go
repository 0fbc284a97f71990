package configs

import (
	"path/filepath"
	"testing"
)

func TestShippedCities(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("cities/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			if _, err := LoadRegistry([]string{path}); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("together", func(t *testing.T) {
		t.Parallel()
		if _, err := LoadRegistry([]string{"cities/*.yaml"}); err != nil {
			t.Error(err)
		}
	})
}
