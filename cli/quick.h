/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_QUICK_H
#define HOLDFAST_CLI_QUICK_H

#include "cli/command.h"
#include "node-agent/io/quick/quick.h"

/* Reads the options that up, down, save and strip have in common, runs one of them, and says what went wrong as wg-quick
 * would. Returns the exit status: these four end as wg-quick does. */
int quick_command(const struct invocation *invocation,
	int (*run)(const struct quick_options *options, struct err *err));
/* The same for commands that wg-quick does not have: an enum command_exit. */
int quick_command_of_ours(const struct invocation *invocation,
	int (*run)(const struct quick_options *options, struct err *err));

#endif
