// Package scenarios holds the plays that ship with Imdad; README.md is the
// manual of their format.
package scenarios

import "embed"

// Files are the scenarios, NAME.yaml each.
//
//go:embed *.yaml
var Files embed.FS
