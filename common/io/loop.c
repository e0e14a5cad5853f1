/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/loop.h"

#include <event2/event.h>

struct event_base *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *loop;

	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	loop = event_base_new_with_config(config);
	event_config_free(config);
	return loop;
}

void loop_free(struct event_base *loop)
{
	if (!loop)
		return;
	event_base_loop(loop, EVLOOP_NONBLOCK);
	event_base_free(loop);
}
