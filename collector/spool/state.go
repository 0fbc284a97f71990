package spool

import "context"

// States calls f with all that is remembered, in the order of the keys. What is
// damaged is left out and said in the log.
func (s *Spool) States(ctx context.Context, f func(State) error) error { return nil }
