// Package vet judges decoded readings: is the time possible, are the registers
// within their physical range, has the reading come before, do its counters go
// on as counters do. It sets quality and refuses nothing but exact duplicates;
// what looks wrong is stored and marked. Out of the counters it makes what was
// consumed in each quarter of an hour, and makes it anew when late readings
// tell better. Time is an argument; the memory of what has come is bounded and
// can be saved and loaded.
package vet
