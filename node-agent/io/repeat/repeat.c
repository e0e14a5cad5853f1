/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/repeat/repeat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/repeat/frame.h"
#include "node-agent/io/repeat/kept.h"

enum { SWEEP_MS = 10, RECEIVE_QUEUE_BYTES = 1024 * 1024, KEEPALIVE_UDP_BYTES = 8 + 32 };

struct repeat {
	int fd;
	bool (*may_speak)(void *context);
	void *context;
	size_t port_count;
	uint16_t ports[REPEAT_PORTS_MAX];
	struct event *readable, *sweep;
	struct kept_frames *kept;
};

static bool is_own_port(const struct repeat *repeat, uint16_t port)
{
	for (size_t i = 0; i < repeat->port_count; i++)
		if (repeat->ports[i] == port)
			return true;
	return false;
}

static void schedule(struct repeat *repeat)
{
	struct timeval wait = {.tv_usec = SWEEP_MS * 1000};

	if (!event_pending(repeat->sweep, EV_TIMEOUT, NULL))
		event_add(repeat->sweep, &wait);
}

static void take_own(
	struct repeat *repeat, const uint8_t *bytes, size_t size, const struct handshake_frame *frame)
{
	int64_t now_ms = clock_now_ms();

	if (frame->kind == HANDSHAKE_INITIATION && kept_initiation(repeat->kept, bytes, size, frame, now_ms))
		schedule(repeat);
	if (frame->kind == HANDSHAKE_KEEPALIVE && kept_confirmation(repeat->kept, bytes, size, frame, now_ms))
		schedule(repeat);
}

static void take(struct repeat *repeat, const uint8_t *bytes, size_t size, uint8_t direction)
{
	struct handshake_frame frame;

	if (!handshake_frame_parse(bytes, size, &frame))
		return;
	if (direction == PACKET_OUTGOING && is_own_port(repeat, frame.source_port))
		take_own(repeat, bytes, size, &frame);
	else if (direction == PACKET_HOST && frame.kind == HANDSHAKE_RESPONSE &&
		 is_own_port(repeat, frame.target_port))
		kept_response(repeat->kept, &frame);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	uint8_t bytes[HANDSHAKE_FRAME_MAX + 1];
	struct sockaddr_ll from;
	socklen_t length = sizeof(from);
	ssize_t size;

	(void)what;
	while ((size = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &length)) >
		0) {
		take(context, bytes, (size_t)size, from.sll_pkttype);
		length = sizeof(from);
	}
}

static bool send_again(void *context, const uint8_t *bytes, size_t size)
{
	struct repeat *repeat = context;

	return send(repeat->fd, bytes, size, MSG_DONTWAIT) >= 0;
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
	struct repeat *repeat = context;

	(void)fd;
	(void)what;
	on_readable(repeat->fd, EV_READ, repeat); /* the answer may be there already */
	if (!repeat->may_speak(repeat->context))
		return;
	if (kept_sweep(repeat->kept, clock_now_ms(), send_again, repeat))
		schedule(repeat);
}

/* WireGuard's message types 1 and 2, and empty ones of type 4, in UDP without fragments; everything else stays in the kernel. Offsets as
 * in Ethernet frames: network header at 14, IPv6's payload at 54. */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 15),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 13),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 11, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
		BPF_STMT(BPF_JMP | BPF_JA, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 7),
		BPF_STMT(BPF_LDX | BPF_IMM, 40),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 22),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x01000000, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02000000, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x04000000, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 18),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KEEPALIVE_UDP_BYTES, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, HANDSHAKE_FRAME_MAX + 1),
	};
	struct sock_fprog program = {.len = ARRAY_COUNT(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int find_interface(int fd, const char *interface, int *ret_index)
{
	struct ifreq request = {0};

	if (!text_copy(request.ifr_name, sizeof(request.ifr_name), interface))
		return -ENODEV;
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EPROTONOSUPPORT;
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	*ret_index = request.ifr_ifindex;
	return 0;
}

/* Made with protocol 0, it hears nothing until it is bound, and then through the filter only. */
static int prepare(int fd, const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int queue = RECEIVE_QUEUE_BYTES;
	int r = find_interface(fd, interface, &address.sll_ifindex);

	if (r >= 0)
		r = attach_filter(fd);
	if (r < 0)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

int repeat_open(struct event_base *base, const char *interface, const uint16_t *ports, size_t port_count,
	bool (*may_speak)(void *context), void *context, struct repeat **ret_repeat, struct err *err)
{
	struct repeat *repeat;
	int r, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_set(err, -errno, "cannot open a packet socket: %s", strerror(errno));
	r = port_count > REPEAT_PORTS_MAX ? -E2BIG : prepare(fd, interface);
	if (r < 0) {
		close(fd);
		return err_set(err, r, "%s: cannot watch handshakes: %s", interface, strerror(-r));
	}
	repeat = mem_new(1, sizeof(*repeat));
	repeat->fd = fd;
	repeat->kept = kept_new();
	repeat->may_speak = may_speak;
	repeat->context = context;
	repeat->port_count = port_count;
	memcpy(repeat->ports, ports, port_count * sizeof(*ports));
	repeat->sweep = event_new(base, -1, 0, on_sweep, repeat);
	repeat->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, repeat);
	event_add(repeat->readable, NULL);
	*ret_repeat = repeat;
	return 0;
}

void repeat_close(struct repeat *repeat)
{
	if (!repeat)
		return;
	event_free(repeat->readable);
	event_free(repeat->sweep);
	close(repeat->fd);
	kept_free(repeat->kept);
	free(repeat);
}

bool repeat_is_waiting(const struct repeat *repeat)
{
	return repeat && event_pending(repeat->sweep, EV_TIMEOUT, NULL);
}

struct repeat_counters repeat_counters(const struct repeat *repeat)
{
	return repeat ? kept_counters(repeat->kept) : (struct repeat_counters){0};
}
