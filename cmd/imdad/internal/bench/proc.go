package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTicks is the unit of times in /proc/PID/stat, the same on every Linux that Go runs on.
const clockTicks = 100

// cpuTime is the user and system time of a process.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; after it come the state and 10 fields before utime and stime.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, text)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / clockTicks, errors.Join(err1, err2)
}

// status returns a line of /proc/PID/status in bytes: VmHWM is the peak of resident memory, VmRSS what it is now.
func status(pid int, key string) (bytes int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == key {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, key)
}

// onDisk refuses a folder whose fsync means nothing.
func onDisk(dir string) error {
	file, err := os.Open("/proc/mounts")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // read only
	best, kind := "", ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 3 || len(f[1]) < len(best) {
			continue
		}
		if f[1] == "/" || dir == f[1] || strings.HasPrefix(dir, f[1]+"/") {
			best, kind = f[1], f[2]
		}
	}
	if kind == "tmpfs" || kind == "ramfs" {
		return fmt.Errorf("%s is in memory (%s); use -dir with a folder on a disk", dir, kind)
	}
	return nil
}

// knocked waits until somebody has connected to a frozen server on loopback and sent it something.
func knocked(ctx context.Context, addr string) error {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return err
	}
	local := fmt.Sprintf(":%04X", port)
	return eventually(ctx, startPatience, "there is a request at "+addr, func() (bool, error) {
		text, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			return false, err
		}
		return waiting(string(text), local), nil
	})
}

// waiting tells whether an established connection of the local port holds bytes that nobody has read.
func waiting(sockets, port string) bool {
	const established = "01"
	for line := range strings.Lines(sockets) {
		f := strings.Fields(line) // sl local remote state tx:rx …
		if len(f) > 4 && strings.HasSuffix(f[1], port) && f[3] == established && !strings.HasSuffix(f[4], ":00000000") {
			return true
		}
	}
	return false
}
