/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SANDBOX_H
#define HOLDFAST_TESTS_SANDBOX_H

#include <check.h>
#include <stdbool.h>

/*
 * A place of its own for every test: a network namespace (lo is up), a /run and a process namespace. Whatever ends the
 * program, Ctrl-C included, the kernel then ends every process in it and the namespaces with them.
 */

enum { SANDBOX_SKIP = 77 }; /* exit status: this machine cannot run it */

/* For main(): run the suite inside. Returns the exit status. */
int sandbox_main(Suite *suite);

/* A checked fixture: new namespaces for the test. */
void sandbox_enter(void);

/* Run a program to its end; arguments are separated by single spaces. Asserts that it succeeds. */
void sandbox_run(const char *command);
/* The same, with what it wrote to its standard output. The caller frees. */
char *sandbox_output(const char *command);

/* Say why on standard output; for `if (!...) return sandbox_skip("...")`. */
int sandbox_skip(const char *why);

#endif
