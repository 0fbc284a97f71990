package main

import "context"

func (b *bench) influx(ctx context.Context) error { return ctx.Err() }

func runPost(ctx context.Context, _ []string) error { return ctx.Err() }
