/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/wireguard/internal.h"

/* ---- writing a change ---- */

/* The longest that things get, attribute headers included. */
enum {
	PEER_BYTES = 4 + 36 + 8 + 36 + 32 + 8 + 4,
	ALLOWED_IP_BYTES = 4 + 8 + 20 + 8,
};

static size_t room(const struct nlmsghdr *message)
{
	return WG_MESSAGE_MAX_BYTES - MNL_ALIGN(message->nlmsg_len);
}

static void put_device(struct nlmsghdr *message, const struct wg_change *change)
{
	if (change->flags & WG_SET_PRIVATE_KEY)
		mnl_attr_put(message, WGDEVICE_A_PRIVATE_KEY, KEY_BYTES, change->private_key.bytes);
	if (change->flags & WG_SET_LISTEN_PORT)
		mnl_attr_put_u16(message, WGDEVICE_A_LISTEN_PORT, change->listen_port);
	if (change->flags & WG_SET_FWMARK)
		mnl_attr_put_u32(message, WGDEVICE_A_FWMARK, change->fwmark);
	if (change->flags & WG_REPLACE_PEERS)
		mnl_attr_put_u32(message, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
}

static void put_allowed_ip(struct nlmsghdr *message, const struct prefix *prefix)
{
	struct nlattr *nest = mnl_attr_nest_start(message, 0);

	mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, prefix->addr.family);
	attribute_put_addr(message, WGALLOWEDIP_A_IPADDR, &prefix->addr);
	mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, prefix->length);
	mnl_attr_nest_end(message, nest);
}

/* False if there are some left, for the next message. */
static bool put_allowed_ips(
	struct wg_encoder *encoder, struct nlmsghdr *message, const struct wg_peer_change *peer)
{
	struct nlattr *nest;

	if (encoder->allowed_ip == peer->allowed_ip_count)
		return true;
	nest = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
	while (encoder->allowed_ip < peer->allowed_ip_count && room(message) >= ALLOWED_IP_BYTES)
		put_allowed_ip(message, &peer->allowed_ips[encoder->allowed_ip++]);
	mnl_attr_nest_end(message, nest);
	return encoder->allowed_ip == peer->allowed_ip_count;
}

static uint32_t kernel_flags(unsigned flags, bool continued)
{
	uint32_t result = 0;

	if (flags & WG_PEER_REMOVE)
		result |= WGPEER_F_REMOVE_ME;
	if (flags & WG_PEER_UPDATE_ONLY)
		result |= WGPEER_F_UPDATE_ONLY;
	/* What an earlier message put there must stay. */
	if (flags & WG_PEER_REPLACE_ALLOWED_IPS && !continued)
		result |= WGPEER_F_REPLACE_ALLOWEDIPS;
	return result;
}

static void put_endpoint(struct nlmsghdr *message, const struct endpoint *endpoint)
{
	struct sockaddr_storage address;

	mnl_attr_put(message, WGPEER_A_ENDPOINT, (size_t)endpoint_to_sockaddr(endpoint, &address), &address);
}

static void put_settings(struct nlmsghdr *message, const struct wg_peer_change *peer)
{
	if (peer->flags & WG_PEER_SET_PRESHARED_KEY)
		mnl_attr_put(message, WGPEER_A_PRESHARED_KEY, KEY_BYTES, peer->preshared_key.bytes);
	if (peer->flags & WG_PEER_SET_ENDPOINT && addr_is_set(&peer->endpoint.addr))
		put_endpoint(message, &peer->endpoint);
	if (peer->flags & WG_PEER_SET_KEEPALIVE)
		mnl_attr_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer->keepalive_s);
}

/* True when the peer is done with. */
static bool put_peer(struct wg_encoder *encoder, struct nlmsghdr *message)
{
	const struct wg_peer_change *peer = &encoder->change->peers[encoder->peer];
	bool continued = encoder->allowed_ip > 0, complete = true;
	struct nlattr *nest = mnl_attr_nest_start(message, 0);
	uint32_t flags = kernel_flags(peer->flags, continued);

	mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, KEY_BYTES, peer->public_key.bytes);
	if (flags)
		mnl_attr_put_u32(message, WGPEER_A_FLAGS, flags);
	if (!continued)
		put_settings(message, peer);
	if (!(peer->flags & WG_PEER_REMOVE))
		complete = put_allowed_ips(encoder, message, peer);
	mnl_attr_nest_end(message, nest);
	return complete;
}

static void put_peers(struct wg_encoder *encoder, struct nlmsghdr *message)
{
	struct nlattr *nest = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);

	while (encoder->peer < encoder->change->peer_count &&
		room(message) >= PEER_BYTES + ALLOWED_IP_BYTES) {
		if (!put_peer(encoder, message))
			break;
		encoder->peer++;
		encoder->allowed_ip = 0;
	}
	mnl_attr_nest_end(message, nest);
}

bool wg_encode(struct wg_encoder *encoder, struct nlmsghdr *message)
{
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, encoder->name);
	if (!encoder->started)
		put_device(message, encoder->change);
	encoder->started = true;
	if (encoder->peer < encoder->change->peer_count)
		put_peers(encoder, message);
	return encoder->peer < encoder->change->peer_count;
}

/* ---- reading a device ---- */

static int decode_allowed_ip(struct wg_builder *builder, struct wg_peer *peer, const struct nlattr *nest)
{
	const struct nlattr *table[WGALLOWEDIP_A_MAX + 1];
	struct prefix prefix = {0};
	uint16_t family;

	attribute_nest(nest, table, ARRAY_COUNT(table));
	if (!attribute_u16(table[WGALLOWEDIP_A_FAMILY], &family) ||
		(family != AF_INET && family != AF_INET6) ||
		!attribute_addr(table[WGALLOWEDIP_A_IPADDR], family, &prefix.addr) ||
		!attribute_u8(table[WGALLOWEDIP_A_CIDR_MASK], &prefix.length) ||
		prefix.length > addr_bits(&prefix.addr))
		return -EPROTO;
	return wg_builder_allowed_ip(builder, peer, &prefix);
}

static int decode_endpoint(const struct nlattr *attribute, struct endpoint *endpoint)
{
	struct sockaddr_storage address = {0};
	size_t size;

	if (!attribute)
		return 0;
	size = mnl_attr_get_payload_len(attribute);
	if (size < sizeof address.ss_family || size > sizeof address)
		return -EPROTO;
	memcpy(&address, mnl_attr_get_payload(attribute), size);
	if (address.ss_family == AF_INET ? size < sizeof(struct sockaddr_in)
					 : size < sizeof(struct sockaddr_in6))
		return -EPROTO;
	return endpoint_from_sockaddr((const struct sockaddr *)&address, endpoint) < 0 ? -EPROTO : 0;
}

static int decode_settings(const struct nlattr *const table[], struct wg_peer *peer)
{
	int64_t handshake[2] = {peer->handshake_s, peer->handshake_ns};

	(void)attribute_bytes(table[WGPEER_A_PRESHARED_KEY], peer->preshared_key.bytes, KEY_BYTES);
	(void)attribute_u16(table[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL], &peer->keepalive_s);
	(void)attribute_u64(table[WGPEER_A_RX_BYTES], &peer->rx_bytes);
	(void)attribute_u64(table[WGPEER_A_TX_BYTES], &peer->tx_bytes);
	(void)attribute_bytes(table[WGPEER_A_LAST_HANDSHAKE_TIME], handshake, sizeof handshake);
	if (handshake[0] < 0 || handshake[1] < 0 || handshake[1] > 999999999)
		return -EPROTO;
	peer->handshake_s = handshake[0];
	peer->handshake_ns = (uint32_t)handshake[1];
	return decode_endpoint(table[WGPEER_A_ENDPOINT], &peer->endpoint);
}

typedef int decode_item(struct wg_builder *builder, struct wg_peer *peer, const struct nlattr *item);

/* Each attribute in a nest that is an array. */
static int decode_array(
	struct wg_builder *builder, struct wg_peer *peer, const struct nlattr *nest, decode_item *decode)
{
	const struct nlattr *item;
	const char *end;
	int r = 0;

	if (!nest)
		return 0;
	item = mnl_attr_get_payload(nest);
	end = (const char *)item + mnl_attr_get_payload_len(nest);
	while (r == 0 && mnl_attr_ok(item, (int)(end - (const char *)item))) {
		r = decode(builder, peer, item);
		item = mnl_attr_next(item);
	}
	return r;
}

static int decode_peer(struct wg_builder *builder, struct wg_peer *unused, const struct nlattr *nest)
{
	const struct nlattr *table[WGPEER_A_MAX + 1];
	struct wg_peer *peer;
	struct key key;
	int r;

	(void)unused;
	attribute_nest(nest, table, ARRAY_COUNT(table));
	if (!attribute_bytes(table[WGPEER_A_PUBLIC_KEY], key.bytes, KEY_BYTES))
		return -EPROTO;
	peer = wg_builder_peer(builder, &key);
	if (!peer)
		return -E2BIG;
	r = decode_settings(table, peer);
	return r < 0 ? r : decode_array(builder, peer, table[WGPEER_A_ALLOWEDIPS], decode_allowed_ip);
}

int wg_decode(struct wg_builder *builder, const struct nlmsghdr *message)
{
	const struct nlattr *table[WGDEVICE_A_MAX + 1];
	struct wg_device *device = builder->device;

	if (!attribute_table(message, sizeof(struct genlmsghdr), table, ARRAY_COUNT(table)))
		return -EPROTO;
	(void)attribute_u32(table[WGDEVICE_A_IFINDEX], &device->ifindex);
	(void)attribute_text(table[WGDEVICE_A_IFNAME], device->name, sizeof device->name);
	(void)attribute_bytes(table[WGDEVICE_A_PRIVATE_KEY], device->private_key.bytes, KEY_BYTES);
	(void)attribute_bytes(table[WGDEVICE_A_PUBLIC_KEY], device->public_key.bytes, KEY_BYTES);
	(void)attribute_u16(table[WGDEVICE_A_LISTEN_PORT], &device->listen_port);
	(void)attribute_u32(table[WGDEVICE_A_FWMARK], &device->fwmark);
	return decode_array(builder, NULL, table[WGDEVICE_A_PEERS], decode_peer);
}
