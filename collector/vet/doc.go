// Package vet judges decoded readings: is the time possible, are the registers
// within their physical range, has the reading come before. It sets quality
// and refuses nothing but exact duplicates; what looks wrong is stored and
// marked. Time is an argument; the memory of what has come is bounded and can
// be saved and loaded.
package vet
