package vet

// joined is the last value of each register of a meter that sends what changed.
type joined struct{}
