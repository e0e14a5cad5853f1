/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/quick.h"

int command_strip(const struct invocation *invocation)
{
	return quick_command(invocation, quick_print_stripped);
}
