package configs_test

import (
	"errors"
	"testing"

	"github.com/imdad-telemetry/imdad/configs"
)

func TestJoinPutsMistakesInOneOrder(t *testing.T) {
	t.Parallel()
	at := func(file string, line int) configs.Mistake {
		return configs.Mistake{Position: configs.Position{File: file, Line: line, Column: 1}, Message: "wrong"}
	}
	tests := []struct {
		name string
		errs []error
		want string // "": no error
	}{
		{"nothing", nil, ""},
		{"no errors", []error{nil, nil}, ""},
		{"sorted, each once", []error{configs.Mistakes{at("b", 2), at("a", 9)}, nil, configs.Mistakes{at("a", 1), at("b", 2)}},
			"a:1:1: wrong\na:9:1: wrong\nb:2:1: wrong"},
		{"others come last", []error{errors.New("other"), configs.Mistakes{at("a", 1)}}, "a:1:1: wrong\nother"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := configs.Join(tt.errs...)
			if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}
