//go:build unix && !linux

package main

import "syscall"

// sysProcAttr keeps an interrupt from the terminal from the children. The figures need Linux's /proc; elsewhere this only
// compiles.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
