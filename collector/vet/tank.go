package vet

// tankGauge is what is known of the tank that a meter gauges.
type tankGauge struct{}
