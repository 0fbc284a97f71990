package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"sync/atomic"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// runBare is the yardstick: a paho client on the service's transport that only counts what it gets. It shows its count
// as the service shows its own.
func runBare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bare", flag.ContinueOnError)
	broker := flags.String("broker", "", "HOST:PORT")
	addrFile := flags.String("addr-file", "", "takes the address of the count")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var n atomic.Int64
	client := paho.NewClient(clientOptions(*broker, func(paho.Client, paho.Message) { n.Add(1) }))
	connecting := client.Connect()
	defer client.Disconnect(250)
	return serve(ctx, "127.0.0.1:0", *addrFile, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if connecting.Error() != nil {
			http.Error(w, connecting.Error().Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "%s %d\n%s 0\n", metricReceived, n.Load(), metricInFlight)
	}))
}
