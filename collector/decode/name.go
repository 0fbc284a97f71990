package decode

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/imdad-telemetry/imdad/collector/meter"
)

const hexDigits = "0123456789ABCDEF"

// foreignID makes an id of a name from outside: every byte that an id may not
// have is percent-encoded (RFC 3986 section 2.1), and a legal name stays as it
// is. An id that would be too long ends in a hash of the name.
func foreignID(name string) string {
	if name == "" || meter.ValidID(name) {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; legalInID(c, i == 0) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	id := b.String()
	if len(id) <= meter.MaxNameLen {
		return id
	}
	// Not in the middle of an encoded byte.
	cut := meter.MaxNameLen - hashLen
	if i := strings.LastIndexByte(id[:cut], '%'); i > cut-3 {
		cut = i
	}
	return id[:cut] + hash(":", name)
}

func legalInID(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		!first && (c == '_' || c == ':' || c == '-' || c == '.')
}

// shorten cuts a register's name that is too long and ends it in a hash of
// what it stands for, so that two of them stay two.
func shorten(name, whole string) string {
	if len(name) <= meter.MaxNameLen {
		return name
	}
	return name[:meter.MaxNameLen-hashLen] + hash("_", whole)
}

// hashLen is the length of what hash returns.
const hashLen = 9

func hash(separator, text string) string {
	h := fnv.New32a()
	h.Write([]byte(text))
	return fmt.Sprintf("%s%08x", separator, h.Sum32())
}

// derived makes a legal register name of a path: small letters, and _ for
// whatever else there is.
func derived(path []string) string {
	var b strings.Builder
	whole := strings.ToLower(strings.Join(path, "_"))
	for i := range len(whole) {
		c := whole[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	name := strings.Trim(b.String(), "_")
	switch {
	case name == "":
		name = "x" + hash("_", whole) // nothing in it that a name may have
	case !meter.ValidRegister(name) && (name[0] <= '9' || len(name) <= meter.MaxNameLen):
		name = "x_" + name // begins with a digit, or is reserved
	}
	return shorten(name, whole)
}
