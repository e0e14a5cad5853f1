/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/wireguard/internal.h"

/* ---- writing a change ---- */

/* The longest that things get as text. */
enum {
	DEVICE_TEXT_BYTES = 256,
	PEER_TEXT_BYTES = 400,
	ALLOWED_IP_TEXT_BYTES = 12 + PREFIX_TEXT_MAX,
};

static void add_key(struct text *text, const char *name, const struct key *key)
{
	char hex[KEY_HEX_MAX];

	text_add(text, "%s=%s\n", name, key_format_hex(key, hex));
	mem_wipe(hex, sizeof hex);
}

static void add_device(struct text *text, const struct wg_change *change)
{
	if (change->flags & WG_SET_PRIVATE_KEY)
		add_key(text, "private_key", &change->private_key);
	if (change->flags & WG_SET_LISTEN_PORT)
		text_add(text, "listen_port=%u\n", change->listen_port);
	if (change->flags & WG_SET_FWMARK)
		text_add(text, "fwmark=%u\n", change->fwmark);
	if (change->flags & WG_REPLACE_PEERS)
		text_add(text, "replace_peers=true\n");
}

static void add_settings(struct text *text, const struct wg_peer_change *peer)
{
	char endpoint[ENDPOINT_TEXT_MAX];

	if (peer->flags & WG_PEER_SET_PRESHARED_KEY)
		add_key(text, "preshared_key", &peer->preshared_key);
	if (peer->flags & WG_PEER_SET_ENDPOINT && addr_is_set(&peer->endpoint.addr))
		text_add(text, "endpoint=%s\n", endpoint_format(&peer->endpoint, endpoint, sizeof endpoint));
	if (peer->flags & WG_PEER_SET_KEEPALIVE)
		text_add(text, "persistent_keepalive_interval=%u\n", peer->keepalive_s);
}

static void add_peer(struct text *text, const struct wg_peer_change *peer)
{
	char prefix[PREFIX_TEXT_MAX];
	size_t i;

	add_key(text, "public_key", &peer->public_key);
	if (peer->flags & WG_PEER_UPDATE_ONLY)
		text_add(text, "update_only=true\n");
	if (peer->flags & WG_PEER_REMOVE) {
		text_add(text, "remove=true\n");
		return;
	}
	add_settings(text, peer);
	if (peer->flags & WG_PEER_REPLACE_ALLOWED_IPS)
		text_add(text, "replace_allowed_ips=true\n");
	for (i = 0; i < peer->allowed_ip_count; i++)
		text_add(
			text, "allowed_ip=%s\n", prefix_format(&peer->allowed_ips[i], prefix, sizeof prefix));
}

/* Enough for all, at once: a buffer that grew would leave keys behind in what it outgrew. */
static size_t text_bytes(const struct wg_change *change)
{
	size_t bytes = DEVICE_TEXT_BYTES, i;

	for (i = 0; i < change->peer_count; i++)
		bytes += PEER_TEXT_BYTES + change->peers[i].allowed_ip_count * ALLOWED_IP_TEXT_BYTES;
	return bytes;
}

void wg_uapi_format(const struct wg_change *change, struct text *ret_text)
{
	struct text text = {.capacity = text_bytes(change)};
	size_t i;

	text.data = mem_new(1, text.capacity);
	text_add(&text, "set=1\n");
	add_device(&text, change);
	for (i = 0; i < change->peer_count; i++)
		add_peer(&text, &change->peers[i]);
	text_add(&text, "\n");
	*ret_text = text;
}

void wg_uapi_wipe(struct text *text)
{
	mem_wipe(text->data, text->length);
	text_clear(text);
}

/* ---- reading a reply ---- */

static int take_number(const char *value, uint64_t max, uint64_t *ret_number)
{
	return text_to_u64(value, 0, max, ret_number) < 0 ? -EPROTO : 0;
}

static int take_errno(struct wg_uapi_parser *parser, const char *value)
{
	uint64_t number;

	/* Some write -22, some 22. */
	if (take_number(value[0] == '-' ? value + 1 : value, 4095, &number) < 0)
		return -EPROTO;
	parser->error = (int64_t)number;
	parser->has_errno = true;
	return 0;
}

/*
 * [fe80::1%eth0]:51820, as newer versions of wireguard-go tell it: numbers and names alike. A name that is none here (the
 * program lives in another network namespace) says nothing.
 */
static int take_endpoint(const char *value, struct endpoint *endpoint)
{
	const char *zone = strchr(value, '%'), *end = strchr(value, ']');
	char name[IF_NAMESIZE], plain[ENDPOINT_TEXT_MAX];
	size_t length;

	if (!zone || !end || zone > end || zone[1 + strspn(zone + 1, "0123456789")] == ']')
		return endpoint_parse(value, endpoint, NULL) < 0 ? -EPROTO : 0;
	length = (size_t)(end - zone - 1);
	if (length >= sizeof name || strlen(value) >= sizeof plain)
		return -EPROTO;
	memcpy(name, zone + 1, length);
	name[length] = '\0';
	snprintf(plain, sizeof plain, "%.*s%s", (int)(zone - value), value, end);
	if (endpoint_parse(plain, endpoint, NULL) < 0 || endpoint->addr.family != AF_INET6)
		return -EPROTO;
	endpoint->scope = if_nametoindex(name);
	return 0;
}

static int take_allowed_ip(struct wg_uapi_parser *parser, const char *value)
{
	struct prefix prefix;

	if (prefix_parse(value, &prefix, NULL) < 0)
		return -EPROTO;
	return wg_builder_allowed_ip(parser->builder, parser->peer, &prefix);
}

static int take_device_line(struct wg_device *device, const char *name, const char *value)
{
	uint64_t number;

	if (strcmp(name, "private_key") == 0)
		return key_parse_hex(value, &device->private_key) < 0 ? -EPROTO : 0;
	if (strcmp(name, "listen_port") == 0) {
		if (take_number(value, UINT16_MAX, &number) < 0)
			return -EPROTO;
		device->listen_port = (uint16_t)number;
	} else if (strcmp(name, "fwmark") == 0) {
		if (take_number(value, UINT32_MAX, &number) < 0)
			return -EPROTO;
		device->fwmark = (uint32_t)number;
	}
	return 0;
}

static int take_counter(struct wg_peer *peer, const char *name, const char *value)
{
	static const struct {
		const char *name;
		uint64_t max;
	} counters[] = {{"persistent_keepalive_interval", UINT16_MAX}, {"last_handshake_time_sec", INT64_MAX},
		{"last_handshake_time_nsec", 999999999}, {"rx_bytes", UINT64_MAX}, {"tx_bytes", UINT64_MAX}};
	uint64_t numbers[] = {peer->keepalive_s, (uint64_t)peer->handshake_s, peer->handshake_ns,
		peer->rx_bytes, peer->tx_bytes};
	size_t i;

	for (i = 0; i < ARRAY_COUNT(counters); i++) {
		if (strcmp(name, counters[i].name) == 0 &&
			take_number(value, counters[i].max, &numbers[i]) < 0)
			return -EPROTO;
	}
	peer->keepalive_s = (uint16_t)numbers[0];
	peer->handshake_s = (int64_t)numbers[1];
	peer->handshake_ns = (uint32_t)numbers[2];
	peer->rx_bytes = numbers[3];
	peer->tx_bytes = numbers[4];
	return 0;
}

static int take_peer_line(struct wg_uapi_parser *parser, const char *name, char *value)
{
	if (strcmp(name, "allowed_ip") == 0)
		return take_allowed_ip(parser, value);
	if (strcmp(name, "endpoint") == 0)
		return take_endpoint(value, &parser->peer->endpoint);
	if (strcmp(name, "preshared_key") == 0)
		return key_parse_hex(value, &parser->peer->preshared_key) < 0 ? -EPROTO : 0;
	return take_counter(parser->peer, name, value);
}

static int take_public_key(struct wg_uapi_parser *parser, const char *value)
{
	struct key key;

	if (key_parse_hex(value, &key) < 0)
		return -EPROTO;
	parser->peer = wg_builder_peer(parser->builder, &key);
	return parser->peer ? 0 : -E2BIG;
}

/* Names that are not known are of a later version: skipped. */
static int take_line(struct wg_uapi_parser *parser, char *line)
{
	char *value = strchr(line, '=');

	if (!value)
		return -EPROTO;
	*value++ = '\0';
	if (strcmp(line, "errno") == 0)
		return take_errno(parser, value);
	if (!parser->builder)
		return 0;
	if (strcmp(line, "public_key") == 0)
		return take_public_key(parser, value);
	if (parser->peer)
		return take_peer_line(parser, line, value);
	return take_device_line(parser->builder->device, line, value);
}

/* An empty line ends the reply; errno= came before it. */
static int end_line(struct wg_uapi_parser *parser)
{
	size_t length = parser->line_length;

	parser->line[length] = '\0';
	parser->line_length = 0;
	if (memchr(parser->line, '\0', length))
		return -EPROTO;
	if (length > 0)
		return take_line(parser, parser->line);
	if (!parser->has_errno)
		return -EPROTO;
	return parser->error ? (int)-parser->error : 1;
}

static int add_part(struct wg_uapi_parser *parser, const char *data, size_t size_bytes)
{
	if (parser->line_length + size_bytes > WG_UAPI_LINE_MAX)
		return -EMSGSIZE;
	memcpy(parser->line + parser->line_length, data, size_bytes);
	parser->line_length += size_bytes;
	return 0;
}

int wg_uapi_parse(struct wg_uapi_parser *parser, const char *data, size_t size_bytes)
{
	const char *end = data + size_bytes, *newline;
	int r = 0;

	parser->total_bytes += size_bytes;
	if (parser->total_bytes > WG_UAPI_REPLY_MAX_BYTES)
		return -EMSGSIZE;
	while (r == 0 && data < end) {
		newline = memchr(data, '\n', (size_t)(end - data));
		r = add_part(parser, data, (size_t)((newline ? newline : end) - data));
		if (r == 0 && newline)
			r = end_line(parser);
		data = newline ? newline + 1 : end;
	}
	return r;
}
