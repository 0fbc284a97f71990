package mqtt

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// checkFilter says what is wrong with a topic filter, by MQTT 3.1.1 section 4.7.
func checkFilter(filter string) error {
	switch {
	case filter == "":
		return errors.New("must not be empty")
	case len(filter) > 65535:
		return errors.New("longer than 65535 bytes")
	case !utf8.ValidString(filter):
		return errors.New("not UTF-8")
	case strings.ContainsFunc(filter, isControl):
		return errors.New("contains control characters")
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		switch {
		case level == "#" && i != len(levels)-1:
			return errors.New("# must be the last level")
		case len(level) > 1 && strings.ContainsAny(level, "+#"):
			return errors.New("+ and # must fill a whole level")
		}
	}
	return nil
}

// inGroup puts the filter into a shared subscription's group, where there is one.
func inGroup(group, filter string) string {
	if group == "" {
		return filter
	}
	return "$share/" + group + "/" + filter
}
