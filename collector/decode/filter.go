package decode

import (
	"errors"
	"fmt"
	"strings"
)

// checkFilter tells whether filter is a legal MQTT topic filter (MQTT 3.1.1
// section 4.7).
func checkFilter(filter string) error {
	if filter == "" {
		return errors.New("an empty topic filter")
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		switch {
		case level == "#" && i != len(levels)-1:
			return fmt.Errorf("filter %q: # must be the last level", filter)
		case level != "#" && level != "+" && strings.ContainsAny(level, "#+\x00"):
			return fmt.Errorf("filter %q: + and # must fill a whole level", filter)
		}
	}
	return nil
}

// matches tells whether topic falls under filter. As the standard has it,
// wildcards at the start do not match topics that begin with $.
func matches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && (strings.HasPrefix(filter, "+") || strings.HasPrefix(filter, "#")) {
		return false
	}
	for {
		want, moreFilter, filterLeft := strings.Cut(filter, "/")
		if want == "#" {
			return true
		}
		got, moreTopic, topicLeft := strings.Cut(topic, "/")
		if want != "+" && want != got {
			return false
		}
		if !filterLeft || !topicLeft {
			// "a/#" also matches "a".
			return filterLeft == topicLeft || filterLeft && moreFilter == "#"
		}
		filter, topic = moreFilter, moreTopic
	}
}
