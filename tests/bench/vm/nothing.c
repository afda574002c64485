// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The smallest program there is: it ends. What fork and exec are measured with, so that a monitor's
 * share is not hidden behind a C library's start.
 */
__attribute__((noreturn, force_align_arg_pointer)) void _start(void);
void _start(void)
{
	__asm__ volatile("syscall" : : "a"(231 /* exit_group */), "D"(0) : "rcx", "r11", "memory");
	__builtin_unreachable();
}
