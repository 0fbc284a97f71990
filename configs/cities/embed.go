// Package cities holds the registry files that ship with Imdad, so that
// programs which need a city to play with find one inside themselves.
package cities

import "embed"

// Files are the city files and the lists of meters that they name.
//
//go:embed *.yaml *.csv
var Files embed.FS
