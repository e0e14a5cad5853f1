/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/icmp/icmp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/icmp.h> /* after net/if.h, or they clash */

#include "common/base/mem.h"
#include "common/icmp/stamp.h"

enum { SOCKET_IP4, SOCKET_IP6 };

/* What an echo request is, and its reply: both families have the same form but for the type. */
struct echo {
	uint8_t type, code;
	uint16_t checksum;
	uint16_t identifier, sequence; /* network order */
	uint64_t cookie;
};

struct icmp {
	int fds[ICMP_FDS];
	uint16_t identifier;
	uint64_t cookie;
};

static int open_ip4(void)
{
	struct icmp_filter only_replies = {.data = ~(1U << ICMP_ECHOREPLY)};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_RAW, ICMP_FILTER, &only_replies, sizeof only_replies) == 0 &&
		stamp_enable(fd) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static int open_ip6(void)
{
	struct icmp6_filter only_replies;
	ICMP6_FILTER_SETBLOCKALL(&only_replies);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only_replies);
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only_replies, sizeof only_replies) == 0 &&
		stamp_enable(fd) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static void draw_cookie(struct icmp *icmp)
{
	/* Cannot fail for so few bytes once the system has booted (getrandom(2)). */
	while (getrandom(&icmp->cookie, sizeof icmp->cookie, 0) != sizeof icmp->cookie)
		;
	icmp->identifier = (uint16_t)(icmp->cookie ^ icmp->cookie >> 32);
}

int icmp_open(struct icmp **ret_icmp, struct err *err)
{
	int ip4 = open_ip4();
	if (ip4 < 0)
		return err_set(err, ip4, "cannot open a raw ICMP socket: %s", strerror(-ip4));
	int ip6 = open_ip6();
	if (ip6 < 0 && ip6 != -EAFNOSUPPORT) {
		close(ip4);
		return err_set(err, ip6, "cannot open a raw ICMPv6 socket: %s", strerror(-ip6));
	}
	struct icmp *icmp = mem_new(1, sizeof *icmp);
	icmp->fds[SOCKET_IP4] = ip4;
	icmp->fds[SOCKET_IP6] = ip6 < 0 ? -1 : ip6;
	draw_cookie(icmp);
	*ret_icmp = icmp;
	return 0;
}

void icmp_close(struct icmp *icmp)
{
	if (!icmp)
		return;
	for (size_t i = 0; i < ICMP_FDS; i++)
		if (icmp->fds[i] >= 0)
			close(icmp->fds[i]);
	free(icmp);
}

void icmp_fds(const struct icmp *icmp, int ret_fds[ICMP_FDS])
{
	memcpy(ret_fds, icmp->fds, sizeof icmp->fds);
}

/* RFC 1071. The kernel does it for ICMPv6. */
static uint16_t checksum(const struct echo *echo)
{
	uint16_t words[sizeof *echo / 2];
	uint32_t sum = 0;
	memcpy(words, echo, sizeof words);
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct echo request_of(const struct icmp *icmp, uint8_t family, uint16_t sequence)
{
	struct echo echo = {
		.type = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
		.identifier = htons(icmp->identifier),
		.sequence = htons(sequence),
		.cookie = icmp->cookie,
	};
	if (family == AF_INET)
		echo.checksum = checksum(&echo);
	return echo;
}

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void put_control(
	struct msghdr *message, union control *control, int level, int type, const void *data, size_t size)
{
	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(size);
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), data, size);
}

/* Out of which interface and from which address this one packet leaves (ip(7), ipv6(7)). */
static void direct(struct msghdr *message, union control *control, uint8_t family, unsigned interface,
	const struct addr *source)
{
	struct in_pktinfo ip4 = {.ipi_ifindex = (int)interface};
	struct in6_pktinfo ip6 = {.ipi6_ifindex = interface};
	bool from = source && source->family == family;
	if (!interface && !from)
		return;
	if (from)
		memcpy(family == AF_INET ? (void *)&ip4.ipi_spec_dst : (void *)&ip6.ipi6_addr, source->bytes,
			addr_bytes(source));
	if (family == AF_INET)
		put_control(message, control, IPPROTO_IP, IP_PKTINFO, &ip4, sizeof ip4);
	else
		put_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &ip6, sizeof ip6);
}

/* 0: any interface; -ENODEV */
static int interface_index(int fd, const char *name)
{
	struct ifreq request = {0};
	size_t length = name ? strlen(name) : 0;
	if (length == 0)
		return 0;
	if (length >= sizeof request.ifr_name)
		return -ENODEV;
	memcpy(request.ifr_name, name, length);
	return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -errno : request.ifr_ifindex;
}

static int send_echo(struct icmp *icmp, int fd, const struct endpoint *to, unsigned interface,
	const struct addr *source, uint16_t sequence)
{
	struct sockaddr_storage address = {0};
	union control control = {0};
	struct echo echo = request_of(icmp, to->addr.family, sequence);
	struct iovec data = {&echo, sizeof echo};
	struct msghdr message = {.msg_name = &address, .msg_iov = &data, .msg_iovlen = 1};
	message.msg_namelen = endpoint_to_sockaddr(to, &address);
	if (addr_is_link_local(&to->addr) && to->addr.family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&address)->sin6_scope_id = interface;
	direct(&message, &control, to->addr.family, interface, source);
	return sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int icmp_send(struct icmp *icmp, const struct addr *to, const char *interface, const struct addr *source,
	uint16_t sequence)
{
	const struct endpoint endpoint = {.addr = *to};
	if (to->family != AF_INET && to->family != AF_INET6)
		return -EAFNOSUPPORT;
	int fd = icmp->fds[to->family == AF_INET ? SOCKET_IP4 : SOCKET_IP6];
	if (fd < 0)
		return -EAFNOSUPPORT;
	int index = interface_index(fd, interface);
	return index < 0 ? index : send_echo(icmp, fd, &endpoint, (unsigned)index, source, sequence);
}

/* Raw sockets of IPv4 deliver the IP header too. */
static size_t header_bytes(const uint8_t *packet, size_t length)
{
	return length ? (size_t)(packet[0] & 0x0f) * 4 : 0;
}

static bool is_mine(const struct icmp *icmp, uint8_t family, const struct echo *echo)
{
	uint8_t reply = family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	return echo->type == reply && echo->identifier == htons(icmp->identifier) &&
	       echo->cookie == icmp->cookie;
}

/* 1: an answer; 0: not for us; -errno: -EAGAIN when none is left. */
static int read_one(struct icmp *icmp, size_t which, struct icmp_answer *ret_answer)
{
	uint8_t packet[128];
	char control[STAMP_CONTROL_BYTES] __attribute__((aligned(8)));
	struct sockaddr_storage from;
	struct iovec data = {packet, sizeof packet};
	struct msghdr message = {.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct endpoint endpoint;
	struct echo echo;
	ssize_t length = recvmsg(icmp->fds[which], &message, MSG_DONTWAIT);
	if (length < 0)
		return -errno;
	size_t skip = which == SOCKET_IP4 ? header_bytes(packet, (size_t)length) : 0;
	if ((size_t)length < skip + sizeof echo ||
		endpoint_from_sockaddr((struct sockaddr *)&from, &endpoint) < 0)
		return 0;
	memcpy(&echo, packet + skip, sizeof echo);
	if (!is_mine(icmp, endpoint.addr.family, &echo))
		return 0;
	*ret_answer = (struct icmp_answer){endpoint.addr, ntohs(echo.sequence), stamp_received_us(&message)};
	return 1;
}

int icmp_read(struct icmp *icmp, struct icmp_answer *ret_answer)
{
	for (size_t which = 0; which < ICMP_FDS; which++) {
		int result = 0;
		while (icmp->fds[which] >= 0 && (result == 0 || result == -EINTR))
			result = read_one(icmp, which, ret_answer);
		if (result == 1)
			return 1;
		if (result && result != -EAGAIN)
			return result;
	}
	return 0;
}
