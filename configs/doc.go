// Package configs reads what people write by hand: the service's YAML file and
// the registry's city files with their CSV lists of meters. It is strict, and
// it reports every mistake at once, each with file, line and column, what is
// wrong, and what was probably meant.
//
//	bytes ─► source      size, UTF-8, control characters; lines for positions
//	      ─► limits      nesting and width, before the recursive parser runs
//	      ─► tree        plain mappings, lists and scalars, each with a position
//	      ─► decode      into Go structs by their yaml tags
//	      ─► Validate    joined errors "key.path[0]: …" are given positions
//
// Defaults live in Go: a key that is absent keeps the value the target already
// has. Anchors, aliases, tags and merge keys are refused, so that each value
// stands in one place, where its position points.
//
// LoadRegistry does the same for a whole registry and hands it to package zone
// for the cross-checks. Watch tells when any of the files changed.
package configs
