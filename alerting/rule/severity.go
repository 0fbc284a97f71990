package rule

import (
	"fmt"
	"slices"
)

var severities = []string{"none", "low", "medium", "high", "critical"}

// String is the severity as it stands in configuration, labels and JSON.
func (s Severity) String() string { return severities[min(int(s), len(severities)-1)] }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severities, string(text))
	if i < int(Low) {
		return fmt.Errorf("%q is no severity; use low, medium, high or critical", text)
	}
	*s = Severity(i)
	return nil
}
