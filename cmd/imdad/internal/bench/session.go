package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/imdad-telemetry/imdad/collector/mqtt"
	"github.com/imdad-telemetry/imdad/deploy/peers"
)

const (
	clientID = "imdad"
	filter   = "imdad/v1/#"
)

// session is a broker's saved state: a persistent session with messages in it. Every run starts from a copy.
type session struct {
	fleet    *fleet
	messages int64
	window   int // max_inflight_messages
	dir      string
}

// prefill makes a session for clientID that holds so many messages of the fleet.
func (b *bench) prefill(ctx context.Context, f *fleet, messages int64, window int) (*session, error) {
	dir, err := b.folder("session")
	if err != nil {
		return nil, err
	}
	s := &session{fleet: f, messages: messages, window: window, dir: dir}
	broker, err := s.start(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(subscribe(broker.Addr()), f.publish(ctx, broker.Addr(), messages)); err != nil {
		return nil, errors.Join(fmt.Errorf("prefill a session: %w", err), broker.Kill())
	}
	return s, broker.Stop() // which saves it
}

// start runs a broker on the folder.
func (s *session) start(ctx context.Context, dir string) (*peers.Process, error) {
	return peers.StartMosquitto(ctx, peers.MosquittoOptions{
		Dir: dir, Extra: []string{fmt.Sprintf("max_inflight_messages %d", s.window), "autosave_interval 0"},
	})
}

// startCopy runs a broker on a copy of the session in a new folder.
func (s *session) startCopy(ctx context.Context, dir string) (*peers.Process, error) {
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		return nil, err
	}
	return s.start(ctx, dir)
}

// remove frees the disk.
func (s *session) remove() error { return os.RemoveAll(s.dir) }

// subscribe makes the persistent session and leaves.
func subscribe(broker string) error {
	client := paho.NewClient(clientOptions(broker, func(paho.Client, paho.Message) {}))
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	defer client.Disconnect(250)
	t := client.Subscribe(filter, 1, nil)
	t.Wait()
	return t.Error()
}

// clientOptions are those of the bare client: on the buffered transport, and acknowledging by itself.
func clientOptions(broker string, handle paho.MessageHandler) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(clientID).SetProtocolVersion(4).
		SetCleanSession(false).SetDefaultPublishHandler(handle).SetCustomOpenConnectionFn(mqtt.OpenConnection)
}

// size is what a folder's files take, in bytes.
func size(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil // a temporary file has gone meanwhile
		}
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
