/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_PROGRAM_CHILD_H
#define HOLDFAST_IO_PROGRAM_CHILD_H

#include <sys/types.h>

/* After fork(): becomes the program with these words as its argv, and `output` as its standard output and error. Only what is safe in a child of a
 * process with threads is called. */
_Noreturn void child_become(
	const char *path, const char *const *words, const char *const *environment, int output, pid_t parent);

#endif
