package meter

import "fmt"

// Quality says how far a reading can be trusted. It is stored with each
// reading as an integer; where several apply, the highest wins.
type Quality uint8

// The codes are a contract with whoever reads the database: never renumber.
const (
	Good         Quality = 0
	Estimated    Quality = 1
	Late         Quality = 2
	Suspect      Quality = 3
	ClockInvalid Quality = 4
	Reset        Quality = 5
	OutOfRange   Quality = 6
	Missing      Quality = 7
)

var qualityNames = [...]string{
	"good", "estimated", "late", "suspect", "clock_invalid", "reset", "out_of_range", "missing",
}

// Qualities is the number of quality codes.
const Qualities = len(qualityNames)

// String returns the code's name in snake case.
func (q Quality) String() string {
	if int(q) < len(qualityNames) {
		return qualityNames[q]
	}
	return fmt.Sprintf("quality(%d)", uint8(q))
}

// Worst returns the higher of two codes.
func (q Quality) Worst(other Quality) Quality { return max(q, other) }
