/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/refresh/refresh.h"

#include <stddef.h>

void refresh_want(struct refresh *refresh, const char *who)
{
	refresh->wanted = who;
}

bool refresh_begin(struct refresh *refresh, bool is_busy)
{
	if (!refresh->wanted || refresh->reading || refresh->applying || is_busy)
		return false;
	refresh->who = refresh->wanted;
	refresh->wanted = NULL;
	refresh->reading = true;
	return true;
}

bool refresh_take(struct refresh *refresh, bool is_busy, bool is_quiet)
{
	bool is_overtaken = refresh->watched && refresh->wanted;
	refresh->reading = false;
	if (!is_quiet)
		refresh->wanted = NULL;
	else if (is_busy && !is_overtaken)
		refresh->wanted = refresh->who;
	refresh->applying = is_quiet && !is_busy && !is_overtaken;
	return refresh->applying;
}

void refresh_end(struct refresh *refresh)
{
	refresh->applying = false;
}
