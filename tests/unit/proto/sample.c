/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/proto/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

char *sample_text(const char *name, size_t *ret_size)
{
	char path[256], *text = mem_new(1, 65536);
	FILE *file;

	(void)snprintf(path, sizeof(path), "proto/examples/%s", name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s cannot be opened", path);
	*ret_size = fread(text, 1, 65535, file);
	ck_assert(feof(file));
	fclose(file);
	return text;
}

static size_t hex_of_line(char *line, uint8_t *bytes)
{
	size_t count = 0;
	unsigned byte;

	line[strcspn(line, "# ")] = '\0';
	for (; sscanf(line + 2 * count, "%2x", &byte) == 1; count++)
		bytes[count] = (uint8_t)byte;
	return count;
}

size_t sample_hex(const char *name, uint8_t *buffer, size_t size)
{
	size_t length, count = 0;
	char *text = sample_text(name, &length), *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		uint8_t bytes[64];
		size_t more = hex_of_line(line, bytes);

		ck_assert(count + more <= size);
		memcpy(buffer + count, bytes, more);
		count += more;
	}
	free(text);
	return count;
}

static void fill_name(char *name, size_t length, size_t number)
{
	memset(name, 'a', length);
	name[length] = '\0';
	name[0] = (char)('a' + number);
}

struct datagram sample_beat(size_t seats, size_t name_length)
{
	struct datagram datagram = {
		.head = {.kind = DATAGRAM_BEAT, .store = 1, .boot = UINT64_MAX, .seq = 3}};

	fill_name(datagram.head.from, name_length, 0);
	fill_name(datagram.head.to, name_length, 1);
	datagram.head.echo = (struct datagram_echo){.boot = 5, .time_us = 6, .held_us = 7};
	datagram.beat.lag_ms = UINT32_MAX;
	datagram.beat.seat_count = seats;
	for (size_t i = 0; i < seats && i < PROTO_ENDPOINTS_MAX; i++) {
		struct seat_state *seat = &datagram.beat.seats[i];

		fill_name(seat->endpoint, name_length, i);
		seat->role = SEAT_SERVING;
		seat->epoch = (struct epoch){1, 2, 3};
		seat->highest = (struct epoch){4, 5, UINT32_MAX};
	}
	return datagram;
}

struct key sample_key(uint32_t number)
{
	struct key key = {{0}};

	for (size_t i = 0; i < 4; i++)
		key.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	key.bytes[31] = 1;
	return key;
}

static void fill_peer(struct desired_peer *peer, uint32_t number)
{
	char text[PREFIX_TEXT_MAX];

	(void)snprintf(peer->name, sizeof(peer->name), "p%u", number);
	(void)snprintf(peer->tunnel, sizeof(peer->tunnel), "wg0");
	peer->public_key = sample_key(number);
	peer->allowed_ip_count = 1;
	peer->allowed_ips = mem_new(1, sizeof(*peer->allowed_ips));
	(void)snprintf(text, sizeof(text), "10.%u.%u.%u/32", number >> 16, number >> 8 & 255, number & 255);
	ck_assert_int_eq(prefix_parse(text, peer->allowed_ips, NULL), 0);
}

struct desired *sample_desired(uint64_t generation, size_t peers)
{
	struct desired *desired = desired_new();

	desired->generation = generation;
	desired->store = 42;
	strcpy(desired->fleet, "edge");
	strcpy(desired->gateway, "gw-a");
	desired->liveness_ms = 50;
	desired->tunnel_count = 1;
	desired->tunnels = mem_new(1, sizeof(*desired->tunnels));
	strcpy(desired->tunnels[0].name, "wg0");
	strcpy(desired->tunnels[0].private_key_file, "wg0.key");
	desired->tunnels[0].listen_port = 51820;
	desired->tunnels[0].fwmark = 1;
	desired->peers = peers ? mem_new(peers, sizeof(*desired->peers)) : NULL;
	desired->peer_count = peers;
	for (size_t i = 0; i < peers; i++)
		fill_peer(&desired->peers[i], (uint32_t)i);
	return desired;
}

static json_t *child(json_t *at, const char *step)
{
	return json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
}

json_t *sample_find(json_t *root, const char *path)
{
	char *copy = mem_text(path), *rest = copy, *step;

	while (root && (step = strsep(&rest, ".")) != NULL)
		root = child(root, step);
	free(copy);
	return root;
}

static json_t *load(const char *name)
{
	size_t size;
	char *text = sample_text(name, &size);
	json_t *root = json_loadb(text, size, 0, NULL);

	ck_assert(root != NULL);
	free(text);
	return root;
}

static char *dump(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	json_decref(root);
	return text;
}

static void replace(json_t *parent, const char *step, json_t *value)
{
	int r;

	ck_assert(parent != NULL);
	if (json_is_array(parent))
		r = value ? json_array_set_new(parent, (size_t)atoi(step), value)
			  : json_array_remove(parent, (size_t)atoi(step));
	else
		r = value ? json_object_set_new(parent, step, value) : json_object_del(parent, step);
	ck_assert_msg(!r, "no %s to replace", step);
}

char *sample_with(const char *name, const char *path, const char *value)
{
	json_t *root = load(name), *parent = root;
	json_t *new = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
	char *copy = mem_text(path), *last = strrchr(copy, '.');

	ck_assert_msg(!value || new, "%s is no JSON", value);
	if (last) {
		*last++ = '\0';
		parent = sample_find(root, copy);
	}
	replace(parent, last ? last : copy, new);
	free(copy);
	return dump(root);
}

char *sample_with_items(const char *name, const char *path, size_t count)
{
	json_t *root = load(name), *array = sample_find(root, path);

	ck_assert_msg(json_array_size(array) > 0, "%s has no array %s with items", name, path);
	while (json_array_size(array) < count)
		json_array_append_new(
			array, json_deep_copy(json_array_get(array, json_array_size(array) - 1)));
	return dump(root);
}

char *sample_long(size_t length)
{
	char *text = mem_new(length + 3, 1);

	memset(text, 'a', length + 2);
	text[0] = text[length + 1] = '"';
	return text;
}
