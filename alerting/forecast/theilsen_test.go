package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestTheilSen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		xs, ys []float64
		z      float64
		want   slope
	}{
		{"the example of Sen (1968), 93 %: 26/7 to 35/8",
			[]float64{1, 2, 3, 4, 10, 12, 18}, []float64{9, 15, 19, 20, 45, 55, 78}, 1.812, slope{4, 26.0 / 7, 35.0 / 8}},
		{"cloud seeding, Hollander & Wolfe example 9.1 ff.",
			[]float64{1, 2, 3, 4, 5}, []float64{1.26, 1.27, 1.12, 1.16, 1.03}, 1.28, slope{-0.05625, -0.13, 0.01}},
		{"a line", []float64{0, 1, 2, 3}, []float64{7, 5, 3, 1}, 1.28, slope{-2, -2, -2}},
		{"one outlier", []float64{0, 1, 2, 3, 4, 5, 6, 7}, []float64{0, 1, 2, 3, 400, 5, 6, 7}, 1.28, slope{1, 1, 1}},
		{"equal x", []float64{0, 0, 1}, []float64{0, 9, 1}, 1.28, slope{-3.5, -8, 1}},
	}
	for _, tt := range tests {
		got, ok, _ := theilSen(tt.xs, tt.ys, tt.z, nil)
		if !ok || !near(got.mid, tt.want.mid, 1e-9) || !near(got.low, tt.want.low, 1e-9) || !near(got.high, tt.want.high, 1e-9) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if _, ok, _ := theilSen([]float64{1, 1}, []float64{1, 2}, 1.28, nil); ok {
		t.Error("a slope from points above one another")
	}
}

func TestNth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		v := make([]float64, 1+r.IntN(40))
		for i := range v {
			v[i] = float64(r.IntN(10))
		}
		sorted := slices.Clone(v)
		slices.Sort(sorted)
		k := r.IntN(len(v))
		if got := nth(v, k); got != sorted[k] {
			t.Fatalf("%d-th of %v is %v", k, sorted, got)
		}
	}
}
