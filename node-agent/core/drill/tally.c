/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/drill/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "proto/wire.h"

#define uthash_malloc(size) mem_new(1, size)
#include <uthash.h>

enum { MAGIC = 'H' << 24 | 'F' << 16 | 'd' << 8 | 'r' };

struct line {
	struct drill_row row;
	uint8_t seen[TALLY_PINGS_MAX / 8];
};

struct client {
	struct addr addr; /* compared as bytes */
	size_t line_count;
	UT_hash_handle hh;
};

struct tally {
	struct drill_order order;
	char gateway[PROTO_NAME_MAX + 1];
	size_t target_count;
	struct addr targets[DRILL_TARGETS_MAX];
	uint32_t next[DRILL_TARGETS_MAX];
	size_t line_count;
	struct line *lines[DRILL_ROWS_MAX];
	struct client *clients;
};

struct tally *tally_new(const struct drill_order *order, const char *gateway)
{
	struct tally *tally = mem_new(1, sizeof(*tally));

	tally->order = *order;
	text_copy(tally->gateway, sizeof(tally->gateway), gateway);
	return tally;
}

void tally_free(struct tally *tally)
{
	struct client *client, *next;

	if (!tally)
		return;
	HASH_ITER (hh, tally->clients, client, next) {
		HASH_DEL(tally->clients, client);
		free(client);
	}
	for (size_t i = 0; i < tally->line_count; i++)
		free(tally->lines[i]);
	free(tally);
}

const struct drill_order *tally_order(const struct tally *tally)
{
	return &tally->order;
}

static struct client *find_client(const struct tally *tally, const struct addr *addr)
{
	struct client *client;

	HASH_FIND(hh, tally->clients, addr, sizeof(*addr), client);
	return client;
}

void tally_add_client(struct tally *tally, const struct addr *addr)
{
	struct client *client = find_client(tally, addr);

	if (client)
		return;
	client = mem_new(1, sizeof(*client));
	client->addr = *addr;
	HASH_ADD(hh, tally->clients, addr, sizeof(client->addr), client);
}

/* NULL: not a client's, or there are too many already. */
static struct line *line_of(struct tally *tally, const char *sender, const struct addr *target)
{
	struct client *client = find_client(tally, target);
	struct line *line;

	for (size_t i = 0; i < tally->line_count; i++)
		if (!strcmp(tally->lines[i]->row.sender, sender) &&
			addr_equal(&tally->lines[i]->row.target, target))
			return tally->lines[i];
	if (!client || client->line_count == TALLY_CLIENT_ROWS_MAX || tally->line_count == DRILL_ROWS_MAX)
		return NULL;
	client->line_count++;
	line = tally->lines[tally->line_count++] = mem_new(1, sizeof(*line));
	text_copy(line->row.sender, sizeof(line->row.sender), sender);
	line->row.target = *target;
	return line;
}

bool tally_add_target(struct tally *tally, const struct addr *target)
{
	for (size_t i = 0; i < tally->target_count; i++)
		if (addr_equal(&tally->targets[i], target))
			return false;
	if (tally->target_count == DRILL_TARGETS_MAX)
		return false;
	tally->targets[tally->target_count++] = *target;
	tally_add_client(tally, target);
	return true;
}

size_t tally_target_count(const struct tally *tally)
{
	return tally->target_count;
}

const struct addr *tally_target(const struct tally *tally, size_t index)
{
	return &tally->targets[index];
}

size_t tally_next(struct tally *tally, size_t index, uint8_t payload[TALLY_PAYLOAD_MAX])
{
	struct wire_writer writer = {.bytes = payload, .size = TALLY_PAYLOAD_MAX};

	if (tally->next[index] == TALLY_PINGS_MAX)
		return 0;
	wire_put_u32(&writer, MAGIC);
	wire_put_u64(&writer, tally->order.id);
	wire_put_u32(&writer, tally->next[index]);
	wire_put_name(&writer, tally->gateway);
	return writer.error ? 0 : writer.length;
}

void tally_sent(struct tally *tally, size_t index)
{
	struct line *line = line_of(tally, tally->gateway, &tally->targets[index]);

	tally->next[index]++;
	if (line)
		line->row.sent++;
}

bool tally_answered(struct tally *tally, const struct addr *from, const uint8_t *payload, size_t size)
{
	struct wire_reader reader = {.bytes = payload, .size = size};
	uint32_t magic = wire_get_u32(&reader), number;
	uint64_t id = wire_get_u64(&reader);
	char sender[PROTO_NAME_MAX + 1];
	struct line *line;

	number = wire_get_u32(&reader);
	wire_get_name(&reader, sender);
	if (reader.failed || magic != MAGIC || id != tally->order.id || number >= TALLY_PINGS_MAX)
		return false;
	line = line_of(tally, sender, from);
	if (!line || line->seen[number / 8] >> number % 8 & 1)
		return false;
	line->seen[number / 8] |= (uint8_t)(1 << number % 8);
	line->row.received++;
	return true;
}

void tally_result(const struct tally *tally, struct drill_result *ret_result)
{
	*ret_result = (struct drill_result){.id = tally->order.id, .row_count = tally->line_count};
	text_copy(ret_result->endpoint, sizeof(ret_result->endpoint), tally->order.endpoint);
	for (size_t i = 0; i < tally->line_count; i++)
		ret_result->rows[i] = tally->lines[i]->row;
}
