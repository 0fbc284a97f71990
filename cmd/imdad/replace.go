package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// replaceFile puts a text in the place of what a file had once it is on disk,
// so that a service that watches it reads one or the other. A file that can only
// be read, or that holds something else by now, is left as it is.
func replaceFile(path string, had, text []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil { // the link stays
		return err
	}
	if err := writable(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s, which is made anew beside the old one: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(info.Mode()), keepOwner(f, info), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, had) {
		return fmt.Errorf("%s was edited meanwhile; try again", path)
	}
	return os.Rename(f.Name(), path)
}

// writable refuses a file that is kept from being written, which to rename over
// it would not notice.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o222 == 0 { // root may do all, and should not
		err = fmt.Errorf("%s is read-only", path)
	}
	return errors.Join(err, f.Close())
}

// keepOwner gives a new file the owner and group of the old one, so that a
// service of another user can still read it. Only root can give files away; who
// else may write the folder keeps the group alone.
func keepOwner(f *os.File, old os.FileInfo) error {
	had, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil // owners are a thing of Unix
	}
	owner := -1
	if os.Geteuid() == 0 {
		owner = int(had.Uid)
	}
	return f.Chown(owner, int(had.Gid))
}
