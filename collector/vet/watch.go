package vet

// watched is what is remembered of the values of a meter.
type watched struct{}
