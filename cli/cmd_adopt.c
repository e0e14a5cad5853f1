/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/quick.h"

int command_adopt(const struct invocation *invocation)
{
	return quick_command_of_ours(invocation, quick_adopt);
}
