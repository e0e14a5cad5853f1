/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/notice/notice.h"

void notice_init(struct notice *notice, unsigned when)
{
	*notice = (struct notice){.when = when};
}

void notice_set(struct notice *notice, enum desired_state state)
{
	notice->known = true;
	notice->state = state;
}

bool notice_next(struct notice *notice, enum desired_state *ret_state)
{
	if (notice->running || !notice->known || (notice->told_any && notice->told == notice->state))
		return false;
	notice->told_any = true;
	notice->told = notice->state;
	notice->running = notice->when & 1u << notice->state;
	*ret_state = notice->state;
	return notice->running;
}

void notice_ended(struct notice *notice)
{
	notice->running = false;
}
