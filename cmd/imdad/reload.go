package main

import (
	"context"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/imdad-telemetry/imdad/configs"
)

// reloader puts a changed registry, rules and people in force without a
// restart. Whatever else the configuration says takes effect at the next start,
// and the log says so.
type reloader struct {
	path    string
	current setup // as it was at the start
	inForce setup
	service *service
	log     zerolog.Logger
}

// files lists what to watch.
func (r *reloader) files() []string {
	files := append([]string{r.path}, r.inForce.Cities...)
	for _, f := range []string{r.inForce.Rules, r.inForce.People} {
		if f != "" {
			files = append(files, f)
		}
	}
	return files
}

// Run reloads on each hangup signal and each change of a file, until ctx ends.
func (r *reloader) Run(ctx context.Context, hangup <-chan os.Signal) error {
	changed := make(chan struct{}, 1)
	for ctx.Err() == nil {
		stop := r.watch(ctx, changed)
		r.follow(ctx, hangup, changed)
		stop()
	}
	return nil
}

// watch tells of each change of the files in force, until it is stopped.
func (r *reloader) watch(ctx context.Context, changed chan<- struct{}) (stop func()) {
	watching, cancel := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	files := r.files()
	watcher.Go(func() {
		err := configs.Watch(watching, files, func() {
			select {
			case changed <- struct{}{}:
			default: // a reload is due already
			}
		})
		if err != nil && ctx.Err() == nil {
			r.log.Warn().Err(err).Msg("files are not watched for changes; SIGHUP still reloads")
		}
	})
	return func() {
		cancel()
		watcher.Wait()
	}
}

// follow reloads when told to, until ctx ends or other files are in force.
func (r *reloader) follow(ctx context.Context, hangup <-chan os.Signal, changed <-chan struct{}) {
	for before := r.files(); slices.Equal(before, r.files()); {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			r.reload("signal")
		case <-changed:
			r.reload("file changed")
		}
	}
}

func (r *reloader) reload(why string) {
	c, err := loadSetup(r.path)
	if err == nil {
		err = r.service.reload(c)
	}
	if err != nil {
		r.log.Error().Strs("mistakes", strings.Split(err.Error(), "\n")).
			Msg("configuration refused as a whole; the old one stays in force")
		return
	}
	r.inForce = c
	event := r.log.Info().Str("why", why).Int("meters", len(c.registry.Meters())).Int("people", len(c.people.People))
	later := changedSections(r.current.config, c.config)
	if c.people.LinkSecret != r.current.people.LinkSecret {
		later = append(later, "link_secret")
	}
	if len(later) > 0 {
		event = event.Strs("needs_a_restart", later)
	}
	event.Msg("registry, rules and people reloaded")
}

// reloaded are the keys whose files are read anew without a restart.
var reloaded = []string{"cities", "rules", "people"}

// changedSections names the top-level keys, other than those, that differ.
func changedSections(a, b config) []string {
	var changed []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		key := va.Type().Field(i).Tag.Get("yaml")
		if !slices.Contains(reloaded, key) && !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			changed = append(changed, key)
		}
	}
	return changed
}
