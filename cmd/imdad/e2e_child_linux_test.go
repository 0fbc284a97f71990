package main

import "syscall"

// childAttr lets the kernel end a child whose parent has died.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
