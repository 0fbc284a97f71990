//go:build unix && !linux

package peers

import "syscall"

// sysProcAttr puts the child into its own process group. Only Linux can also end it with its parent.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
