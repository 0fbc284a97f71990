package main

import "context"

func (b *bench) outage(ctx context.Context) error { return ctx.Err() }
