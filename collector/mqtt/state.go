package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// remembered is what the broker may hold under one client id: at least what it really holds, since the file is
// written before a subscription is made and after one has ended.
type remembered struct {
	ClientID string   `json:"client_id"`
	Brokers  []string `json:"brokers"`
	Filters  []string `json:"filters"`
	// Established: the broker has confirmed the subscriptions at least once, so it should know the session.
	Established bool `json:"established"`
}

// state is the file that remembers the sessions over restarts.
type state struct {
	path string

	mu       sync.Mutex
	sessions map[string]remembered // by client id
}

type stateFile struct {
	Version  int          `json:"version"`
	Sessions []remembered `json:"sessions"`
}

const stateVersion = 1

// errDamagedState means that the file was moved aside: sessions that only it knew are not ended.
var errDamagedState = errors.New("damaged")

// loadState reads the file; there being none is the first start. With errDamagedState the state is usable, and empty.
func loadState(path string) (*state, error) {
	s := &state{path: path, sessions: make(map[string]remembered)}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the remembered sessions: %w", err)
	}
	var file stateFile
	if err := json.Unmarshal(data, &file); err != nil || file.Version != stateVersion {
		aside := path + ".damaged"
		if err := os.Rename(path, aside); err != nil {
			return nil, fmt.Errorf("move the damaged file of remembered sessions aside: %w", err)
		}
		return s, fmt.Errorf("%w file of remembered sessions, moved to %s", errDamagedState, aside)
	}
	for _, r := range file.Sessions {
		s.sessions[r.ClientID] = r
	}
	return s, nil
}

// all returns the sessions ordered by client id.
func (s *state) all() []remembered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sorted()
}

func (s *state) sorted() []remembered {
	list := make([]remembered, 0, len(s.sessions))
	for _, r := range s.sessions {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b remembered) int {
		if a.ClientID < b.ClientID {
			return -1
		}
		return 1
	})
	return list
}

// remember replaces what is known of the sessions with these client ids; what was established remains so.
func (s *state) remember(sessions ...remembered) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range sessions {
		r.Established = r.Established || s.sessions[r.ClientID].Established
		s.sessions[r.ClientID] = r
	}
	return s.save()
}

// establish notes that the broker has confirmed a session's subscriptions.
func (s *state) establish(clientID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sessions[clientID]
	if r.Established {
		return nil
	}
	r.Established = true
	s.sessions[clientID] = r
	return s.save()
}

// forget is told that a session has ended.
func (s *state) forget(clientID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, clientID)
	return s.save()
}

// save writes a new file beside the old one, syncs it and puts it in its place.
func (s *state) save() error {
	data, err := json.MarshalIndent(stateFile{Version: stateVersion, Sessions: s.sorted()}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the remembered sessions: %w", err)
	}
	next := s.path + ".next"
	if err := writeSynced(next, append(data, '\n')); err != nil {
		return fmt.Errorf("write the remembered sessions: %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return fmt.Errorf("replace the remembered sessions: %w", err)
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("sync the directory of the remembered sessions: %w", err)
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
