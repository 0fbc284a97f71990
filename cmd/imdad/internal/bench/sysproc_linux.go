package main

import "syscall"

// sysProcAttr keeps an interrupt from the terminal from the children, which are stopped in order, and ends them with
// their parent.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
