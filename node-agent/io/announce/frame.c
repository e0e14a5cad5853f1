/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/announce/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int frame_interface(int fd, const char *name, struct frame_interface *ret_interface)
{
	struct ifreq request = {0};
	size_t length = strlen(name);
	if (length == 0 || length >= IFNAMSIZ)
		return -ENODEV;
	memcpy(request.ifr_name, name, length);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EPROTONOSUPPORT;
	struct frame_interface interface;
	memcpy(interface.mac, request.ifr_hwaddr.sa_data, sizeof interface.mac);
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	interface.index = (unsigned)request.ifr_ifindex;
	*ret_interface = interface;
	return 0;
}

void frame_arp_request(
	struct frame *frame, const uint8_t *mac, const struct addr *sender, const struct addr *target)
{
	struct ether_arp arp = {
		.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETH_P_IP),
			.ar_hln = FRAME_MAC_BYTES,
			.ar_pln = sizeof arp.arp_spa,
			.ar_op = htons(ARPOP_REQUEST)},
	};
	memcpy(arp.arp_sha, mac, sizeof arp.arp_sha);
	if (sender->family == AF_INET)
		memcpy(arp.arp_spa, sender->bytes, sizeof arp.arp_spa);
	memcpy(arp.arp_tpa, target->bytes, sizeof arp.arp_tpa);
	*frame = (struct frame){.protocol = ETH_P_ARP, .length = sizeof arp};
	memset(frame->destination, 0xff, sizeof frame->destination);
	memcpy(frame->bytes, &arp, sizeof arp);
}

/* A neighbour discovery message with its one option, our link-layer address (RFC 4861, sections 4.3, 4.4, 4.6.1). */
struct neighbour {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t flags;
	uint8_t target[16];
	uint8_t option, option_units;
	uint8_t mac[FRAME_MAC_BYTES];
};

enum { NEIGHBOUR_WITHOUT_OPTION = 24, HOP_LIMIT = 255 };

static uint32_t add_words(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* RFC 4443, section 2.3: over the pseudo header too. */
static uint16_t checksum(const struct ip6_hdr *ip, const void *data, size_t length)
{
	uint32_t sum = (uint32_t)length + IPPROTO_ICMPV6;
	sum = add_words(sum, &ip->ip6_src, sizeof ip->ip6_src);
	sum = add_words(sum, &ip->ip6_dst, sizeof ip->ip6_dst);
	sum = add_words(sum, data, length);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void fill_neighbour(struct frame *frame, const struct addr *source, const uint8_t *group,
	struct neighbour *message, size_t length)
{
	struct ip6_hdr ip = {.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons((uint16_t)length),
		.ip6_nxt = IPPROTO_ICMPV6,
		.ip6_hlim = HOP_LIMIT};
	if (source->family == AF_INET6)
		memcpy(&ip.ip6_src, source->bytes, sizeof ip.ip6_src);
	memcpy(&ip.ip6_dst, group, sizeof ip.ip6_dst);
	message->checksum = checksum(&ip, message, length);
	*frame = (struct frame){.protocol = ETH_P_IPV6, .length = sizeof ip + length};
	memcpy(frame->bytes, &ip, sizeof ip);
	memcpy(frame->bytes + sizeof ip, message, length);
	/* RFC 2464, section 7 */
	frame->destination[0] = frame->destination[1] = 0x33;
	memcpy(frame->destination + 2, group + 12, 4);
}

void frame_advertisement(struct frame *frame, const uint8_t *mac, const struct addr *address, bool is_router)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	struct neighbour message = {
		.type = ND_NEIGHBOR_ADVERT, .option = ND_OPT_TARGET_LINKADDR, .option_units = 1};
	message.flags = ND_NA_FLAG_OVERRIDE | (is_router ? ND_NA_FLAG_ROUTER : 0);
	memcpy(message.target, address->bytes, sizeof message.target);
	memcpy(message.mac, mac, sizeof message.mac);
	fill_neighbour(frame, address, all_nodes, &message, sizeof message);
}

void frame_solicitation(
	struct frame *frame, const uint8_t *mac, const struct addr *source, const struct addr *target)
{
	uint8_t group[16] = {0xff, 0x02, [11] = 1, [12] = 0xff}; /* RFC 4291, section 2.7.1 */
	struct neighbour message = {
		.type = ND_NEIGHBOR_SOLICIT, .option = ND_OPT_SOURCE_LINKADDR, .option_units = 1};
	memcpy(group + 13, target->bytes + 13, 3);
	memcpy(message.target, target->bytes, sizeof message.target);
	memcpy(message.mac, mac, sizeof message.mac);
	/* The option must not be there when the source is unspecified (RFC 4861, section 4.3). */
	bool from = source->family == AF_INET6;
	fill_neighbour(frame, source, group, &message, from ? sizeof message : NEIGHBOUR_WITHOUT_OPTION);
}

int frame_send(int fd, unsigned interface, const struct frame *frame)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(frame->protocol),
		.sll_ifindex = (int)interface,
		.sll_halen = FRAME_MAC_BYTES};
	memcpy(to.sll_addr, frame->destination, FRAME_MAC_BYTES);
	ssize_t sent =
		sendto(fd, frame->bytes, frame->length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
	return sent < 0 ? -errno : 0;
}
