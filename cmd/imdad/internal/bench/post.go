package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// runPost is the database's own limit: it posts recorded batches, so many at once, and does nothing else.
func runPost(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("post", flag.ContinueOnError)
	base := flags.String("url", "", "the database")
	file := flags.String("file", "", "recorded batches")
	requests := flags.Int("requests", 1, "requests under way at once")
	addrFile := flags.String("addr-file", "", "takes the address of the count")
	if err := flags.Parse(args); err != nil {
		return err
	}
	batches, err := recorded(*file)
	if err != nil {
		return err
	}
	var n atomic.Int64
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return postAll(ctx, *base, batches, *requests, &n) })
	both.Go(func() error {
		return serve(ctx, "127.0.0.1:0", *addrFile, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "%s %d\n", metricTaken, n.Load())
		}))
	})
	return both.Wait()
}

func postAll(ctx context.Context, base string, batches [][]byte, requests int, posted *atomic.Int64) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: requests, WriteBufferSize: 64 << 10}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for _, batch := range batches {
		group.Go(func() error {
			if err := post(ctx, client, base+"/api/v2/write?org=imdad&bucket=utility&precision=ms", batch); err != nil {
				return err
			}
			posted.Add(countLines(batch))
			return nil
		})
	}
	return group.Wait()
}

func post(ctx context.Context, client *http.Client, url string, batch []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(batch))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return err
	}
	if res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("post a batch: %s", res.Status)
	}
	return nil
}
