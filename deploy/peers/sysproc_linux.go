package peers

import "syscall"

// sysProcAttr puts the child into its own process group and ties its life to the parent's. The kernel watches the thread
// that started the child; Go ends a thread only when a goroutine locked to it returns, so Start* must not be called
// from such a goroutine.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
