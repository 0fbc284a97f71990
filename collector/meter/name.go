package meter

// MaxNameLen bounds ids and register names, in bytes.
const MaxNameLen = 64

// ValidID tells whether s may name a city, zone, meter or any other object:
// [A-Za-z0-9][A-Za-z0-9._:-]{0,63}. Such a name needs no escaping in line
// protocol, MQTT topics or URLs.
func ValidID[T ~string | ~[]byte](s T) bool {
	if len(s) == 0 || len(s) > MaxNameLen || !alphanumeric(s[0]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if !alphanumeric(c) && c != '.' && c != '_' && c != ':' && c != '-' {
			return false
		}
	}
	return true
}

// ValidMeterID tells whether s may name a meter: as ValidID, and with every
// other byte of a name from outside percent-encoded in capitals (%2F for /).
func ValidMeterID(s string) bool {
	if len(s) == 0 || len(s) > MaxNameLen {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case alphanumeric(c), i > 0 && (c == '.' || c == '_' || c == ':' || c == '-'):
		case c == '%' && i+2 < len(s) && capitalHex(s[i+1]) && capitalHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func capitalHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

// ValidRegister tells whether s may name a register: [a-z][a-z0-9_]{0,63} and
// not one of the reserved names, which would collide with tags and with the
// fields Imdad writes itself.
func ValidRegister[T ~string | ~[]byte](s T) bool {
	if len(s) == 0 || len(s) > MaxNameLen || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return !reserved(string(s))
}

func reserved(s string) bool {
	switch s {
	case "time", "quality", "reason", "seq", "device_time_ms", "city", "zone", "meter", "feeder", "plant", "site":
		return true
	}
	return false
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
