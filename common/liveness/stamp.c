/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/liveness/stamp.h"

#include <string.h>
#include <time.h>

void stamp_clock_begin(struct stamp_clock *clock)
{
	clock->stepped = false;
}

/* What was stamped before a step may be in any of the portions that follow. */
void stamp_clock_read(struct stamp_clock *clock, int64_t now_us, int64_t wall_us)
{
	int64_t ahead_us = (wall_us - now_us) - (clock->wall_us - clock->now_us);

	if (clock->known && (ahead_us > STAMP_STEP_US || ahead_us < -STAMP_STEP_US))
		clock->stepped = true;
	clock->known = true;
	clock->now_us = now_us;
	clock->wall_us = wall_us;
}

static int64_t believed_us(const struct timespec *stamp, const struct stamp_clock *clock)
{
	int64_t age_us = clock->wall_us - ((int64_t)stamp->tv_sec * 1000000 + stamp->tv_nsec / 1000);

	return age_us >= 0 && age_us <= STAMP_OLDEST_US ? clock->now_us - age_us : clock->now_us;
}

int64_t stamp_us(const struct msghdr *message, const struct stamp_clock *clock)
{
	/* CMSG_NXTHDR of some C libraries wants a message that it may change, and does not change it. */
	struct msghdr copy = *message;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c != NULL; c = CMSG_NXTHDR(&copy, c)) {
		struct timespec stamp;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		return clock->stepped ? clock->now_us : believed_us(&stamp, clock);
	}
	return clock->now_us;
}
