package vet

// finding is something vetting saw in a reading that is worth counting.
type finding uint8

// The findings.
const (
	foundReset       finding = iota // a counter began again near zero
	foundRollover                   // a counter went past its last digit
	foundReplaced                   // a counter of another device
	foundDip                        // a counter fell by less than a tenth
	foundImplausible                // a counter went on faster than it can
	foundSpike                      // a value far out of line with those around it
	foundStuck                      // a value that does not move though it should
	foundGap                        // a pause in which readings did not come
	foundAbsent                     // a reading that did not come, each
	foundLevel                      // a level outside its tank
)

var findingNames = [...]string{"reset", "rollover", "replaced", "dip", "implausible", "spike", "stuck", "gap", "absent", "level"}

// none is no finding.
const none finding = 255

func (f finding) String() string { return findingNames[f] }

// findings counts what was found since the vetter was made.
type findings [len(findingNames)]int64

// Findings returns how often each thing worth counting was found since the
// vetter was made, by its name; those that never occurred are 0.
func (v *Vetter) Findings() map[string]int64 {
	all := make(map[string]int64, len(findingNames))
	for i, n := range v.found {
		all[findingNames[i]] = n
	}
	return all
}
