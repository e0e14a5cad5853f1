/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/icmp/stamp.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/io/clock.h"

enum { AGE_MAX_US = 10 * 1000 * 1000 }; /* nothing waits longer in a socket that somebody reads */

int stamp_enable(int fd)
{
	int one = 1;
	return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) < 0 ? -errno : 0;
}

static int64_t to_us(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

static int64_t age_us(const struct timespec *stamp)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = to_us(&now) - to_us(stamp);
	return age < 0 || age > AGE_MAX_US ? 0 : age;
}

int64_t stamp_received_us(const struct msghdr *message)
{
	/* CMSG_NXTHDR of some C libraries wants a message that it may change, and does not change it. */
	struct msghdr copy = *message;
	for (struct cmsghdr *control = CMSG_FIRSTHDR(&copy); control; control = CMSG_NXTHDR(&copy, control)) {
		struct timespec stamp;
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
		return clock_now_us() - age_us(&stamp);
	}
	return clock_now_us();
}
