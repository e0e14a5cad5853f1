/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/announce/announce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/announce/frame.h"

struct announce {
	int fd;
};

int announce_open(struct announce **ret_announce, struct err *err)
{
	/* Protocol 0: receives nothing. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(
			err, -errno, "cannot open a packet socket for announcements: %s", strerror(errno));
	struct announce *announce = mem_new(1, sizeof *announce);
	announce->fd = fd;
	*ret_announce = announce;
	return 0;
}

void announce_close(struct announce *announce)
{
	if (!announce)
		return;
	close(announce->fd);
	free(announce);
}

int announce_send(
	struct announce *announce, const char *interface, const struct addr *address, bool is_router)
{
	struct frame_interface out;
	struct frame frame;
	if (address->family != AF_INET && address->family != AF_INET6)
		return -EAFNOSUPPORT;
	int error = frame_interface(announce->fd, interface, &out);
	if (error)
		return error;
	if (address->family == AF_INET)
		frame_arp_request(&frame, out.mac, address, address);
	else
		frame_advertisement(&frame, out.mac, address, is_router);
	return frame_send(announce->fd, out.index, &frame);
}
