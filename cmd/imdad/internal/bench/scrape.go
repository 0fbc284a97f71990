package main

import "context"

func (b *bench) scrape(ctx context.Context) error { return ctx.Err() }
