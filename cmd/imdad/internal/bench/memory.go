package main

import "context"

func (b *bench) memory(ctx context.Context) error { return ctx.Err() }
