// Package spelling finds the word a mistyped one was probably meant to be. It
// is pure and imports the standard library alone.
package spelling

// maxLen bounds the words compared, in bytes: the distance costs the product
// of both lengths.
const maxLen = 128

// Nearest returns the known word closest to word, and whether one is close
// enough to be worth suggesting: at most a third of the word may differ, so
// words of one or two letters have no neighbours. Of several equally close ones
// the first wins.
func Nearest(word string, known []string) (string, bool) {
	limit := len(word) / 3
	best, found := "", false
	for _, k := range known {
		if k == "" || k == word || abs(len(k)-len(word)) > limit {
			continue
		}
		if d := Distance(word, k); d <= limit {
			best, found, limit = k, true, d-1
		}
	}
	return best, found
}

// Distance counts the single edits between a and b, in bytes: insertions,
// deletions, substitutions and swaps of neighbours (optimal string alignment).
// Only the first 128 bytes of each are compared.
func Distance(a, b string) int {
	a, b = a[:min(len(a), maxLen)], b[:min(len(b), maxLen)]
	var rows [3][maxLen + 1]int
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}

func abs(n int) int { return max(n, -n) }
