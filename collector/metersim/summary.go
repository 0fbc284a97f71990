package metersim

import (
	"fmt"
	"strings"
	"time"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

// Summary tells what a fleet has published. Every message counts once, however
// often it had to be sent; its time differs from all others of its meter, so
// acknowledged messages are distinct readings.
type Summary struct {
	Published    int64 // messages made for the broker
	Acknowledged int64 // those it acknowledged (PUBACK); 0 at QoS 0
	// Readings are the acknowledged ones by utility.
	Readings map[meter.Utility]int64
	Resent   int64         // messages sent again on a new connection
	Lost     int64         // connections lost
	Elapsed  time.Duration // real time since Run began
}

// String is one line for people.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "published %d, acknowledged %d", s.Published, s.Acknowledged)
	for i, u := range meter.Utilities {
		sep := ", "
		if i == 0 {
			sep = " ("
		}
		fmt.Fprintf(&b, "%s%s %d", sep, u, s.Readings[u])
	}
	fmt.Fprintf(&b, ") in %s", s.Elapsed.Round(10*time.Millisecond))
	if s.Lost > 0 {
		fmt.Fprintf(&b, "; connections lost %d, messages sent again %d", s.Lost, s.Resent)
	}
	return b.String()
}
