package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/imdad-telemetry/imdad/alerting/notify"
	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
	"github.com/imdad-telemetry/imdad/configs"
)

// setup is a configuration with everything that it names.
type setup struct {
	config
	registry *zone.Registry
	rules    rule.Config
	people   notify.Config
}

// loadSetup reads the configuration, the registry, the rules and the people it
// names. Relative paths in the file are taken from the file's folder. The error
// lists every mistake in all the files.
func loadSetup(path string) (setup, error) {
	s, _, err := loadDocument(path)
	return s, err
}

// loadDocument is loadSetup for who needs positions in the file as well. The
// document is nil where the file could not be read at all.
func loadDocument(path string) (setup, *configs.Document, error) {
	s := setup{rules: rule.DefaultConfig(), people: notify.DefaultConfig()}
	var doc *configs.Document
	var err error
	s.config, s.registry, doc, err = loadRegistry(path)
	return s, doc, configs.Join(err, s.loadRules(), s.loadPeople())
}

// loadRegistry reads the configuration and the registry that it names, for who
// has to do with readings alone. The registry is nil if it has mistakes.
func loadRegistry(path string) (config, *zone.Registry, *configs.Document, error) {
	c, doc, err := loadConfig(path)
	registry, registryErr := configs.LoadRegistry(c.Cities)
	return c, registry, doc, configs.Join(err, c.placed(registryErr, doc))
}

// loadConfig reads the configuration itself, and nothing that it names.
func loadConfig(path string) (config, *configs.Document, error) {
	c := defaultConfig()
	doc, err := configs.Load(path, &c)
	c.resolve(filepath.Dir(path))
	return c, doc, err
}

// loadRules reads the rules and holds them against the registry, if there is
// one.
func (s *setup) loadRules() error {
	if s.Rules == "" {
		return nil
	}
	doc, err := configs.Load(s.Rules, &s.rules)
	if doc == nil || s.registry == nil {
		return err
	}
	_, places := rule.New(s.rules, s.registry)
	return configs.Join(err, doc.Locate(places))
}

// loadPeople reads the people and holds them against the registry, if there is
// one, and the channels.
func (s *setup) loadPeople() error {
	if s.People == "" {
		return nil
	}
	doc, err := configs.Load(s.People, &s.people)
	if doc == nil {
		return err
	}
	errs := []error{err, doc.Locate(s.readLinkSecret())}
	if s.registry != nil {
		errs = append(errs, doc.Locate(s.people.Check(s.registry, s.Channels.names())))
	}
	return configs.Join(errs...)
}

// readLinkSecret puts what signs the links in the place of what names it.
func (s *setup) readLinkSecret() error {
	raw := s.people.LinkSecret
	value, err := configs.Secret(resolveSecret(filepath.Dir(s.People), raw))
	switch {
	case err != nil:
		return fmt.Errorf("link_secret: %w", err)
	case raw != "" && value == "":
		return errors.New("link_secret: it is empty there")
	case value == raw:
		return nil
	}
	s.people.LinkSecret = value
	return notify.CheckSecret(value)
}

// placed gives mistakes about a whole city file the place that names it.
func (c *config) placed(err error, doc *configs.Document) error {
	var mistakes configs.Mistakes
	if doc == nil || !errors.As(err, &mistakes) {
		return err
	}
	for i, m := range mistakes {
		if at := slices.Index(c.Cities, m.File); m.Line == 0 && at >= 0 {
			key := fmt.Sprintf("cities[%d]", at)
			mistakes[i] = configs.Mistake{Position: doc.At(key), Message: key + ": " + m.String()}
		}
	}
	return mistakes
}
