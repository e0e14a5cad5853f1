/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/limits.h"
#include "proto/wire.h"

enum { MAGIC = 'H' << 8 | 'C', FLAG_FROM_START = 1, FLAG_MORE = 2 };
enum { ITEM_GONE = 1, ITEM_IPV6 = 2 };

struct flow_key flow_key_of(const struct flow *flow)
{
	const struct flow_tuple *tuple = &flow->original;
	struct flow_key key = {0};
	struct wire_writer writer = {.bytes = key.bytes, .size = sizeof(key.bytes)};

	wire_put_u8(&writer, tuple->source.family);
	wire_put_bytes(&writer, tuple->source.bytes, sizeof(tuple->source.bytes));
	wire_put_bytes(&writer, tuple->destination.bytes, sizeof(tuple->destination.bytes));
	wire_put_u16(&writer, tuple->source_port);
	wire_put_u16(&writer, tuple->destination_port);
	wire_put_u16(&writer, flow->zone);
	wire_put_u8(&writer, flow->protocol);
	return key;
}

static bool tuple_equal(const struct flow_tuple *a, const struct flow_tuple *b)
{
	return addr_equal(&a->source, &b->source) && addr_equal(&a->destination, &b->destination) &&
	       a->source_port == b->source_port && a->destination_port == b->destination_port;
}

bool flow_equal(const struct flow *a, const struct flow *b)
{
	return tuple_equal(&a->original, &b->original) && tuple_equal(&a->reply, &b->reply) &&
	       a->protocol == b->protocol && a->tcp_state == b->tcp_state &&
	       a->tcp_scale[0] == b->tcp_scale[0] && a->tcp_scale[1] == b->tcp_scale[1] &&
	       a->zone == b->zone && a->status == b->status && a->mark == b->mark;
}

static void put_tuple(struct wire_writer *writer, const struct flow_tuple *tuple)
{
	size_t size = addr_bytes(&tuple->source);

	wire_put_bytes(writer, tuple->source.bytes, size);
	wire_put_bytes(writer, tuple->destination.bytes, size);
	wire_put_u16(writer, tuple->source_port);
	wire_put_u16(writer, tuple->destination_port);
}

static void put_item(struct wire_writer *writer, const struct flow_item *item)
{
	const struct flow *flow = &item->flow;

	wire_put_u8(writer, (uint8_t)((item->gone ? ITEM_GONE : 0) |
				      (flow->original.source.family == AF_INET6 ? ITEM_IPV6 : 0)));
	wire_put_u8(writer, flow->protocol);
	wire_put_u16(writer, flow->zone);
	put_tuple(writer, &flow->original);
	if (item->gone)
		return;
	put_tuple(writer, &flow->reply);
	wire_put_u8(writer, flow->tcp_state);
	wire_put_u8(writer, flow->tcp_scale[0]);
	wire_put_u8(writer, flow->tcp_scale[1]);
	wire_put_u32(writer, flow->status);
	wire_put_u32(writer, flow->mark);
	wire_put_u32(writer, flow->timeout_s);
}

uint8_t *flow_page_encode(const struct flow_page *page, size_t *ret_size)
{
	struct wire_writer writer = {.bytes = mem_new(1, FLOW_PAGE_BYTES_MAX), .size = FLOW_PAGE_BYTES_MAX};

	wire_put_u16(&writer, MAGIC);
	wire_put_u8(&writer, PROTO_VERSION);
	wire_put_u8(
		&writer, (uint8_t)((page->from_start ? FLAG_FROM_START : 0) | (page->more ? FLAG_MORE : 0)));
	wire_put_u64(&writer, page->run);
	wire_put_u64(&writer, page->last);
	wire_put_u32(&writer, (uint32_t)page->count);
	for (size_t i = 0; i < page->count; i++)
		put_item(&writer, &page->items[i]);
	*ret_size = writer.length;
	return writer.bytes;
}

static void get_addr(struct wire_reader *reader, uint8_t family, struct addr *ret_addr)
{
	*ret_addr = (struct addr){.family = family};
	wire_get_bytes(reader, ret_addr->bytes, addr_bytes(ret_addr));
}

static void get_tuple(struct wire_reader *reader, uint8_t family, struct flow_tuple *ret_tuple)
{
	get_addr(reader, family, &ret_tuple->source);
	get_addr(reader, family, &ret_tuple->destination);
	ret_tuple->source_port = wire_get_u16(reader);
	ret_tuple->destination_port = wire_get_u16(reader);
}

static bool get_item(struct wire_reader *reader, struct flow_item *item)
{
	unsigned flags = wire_get_u8(reader);
	uint8_t family = flags & ITEM_IPV6 ? AF_INET6 : AF_INET;
	struct flow *flow = &item->flow;

	if (flags & ~(unsigned)(ITEM_GONE | ITEM_IPV6))
		return false;
	item->gone = flags & ITEM_GONE;
	flow->protocol = wire_get_u8(reader);
	flow->zone = wire_get_u16(reader);
	get_tuple(reader, family, &flow->original);
	if (item->gone)
		return !reader->failed;
	get_tuple(reader, family, &flow->reply);
	flow->tcp_state = wire_get_u8(reader);
	flow->tcp_scale[0] = wire_get_u8(reader);
	flow->tcp_scale[1] = wire_get_u8(reader);
	flow->status = wire_get_u32(reader);
	flow->mark = wire_get_u32(reader);
	flow->timeout_s = wire_get_u32(reader);
	return !reader->failed;
}

static int get_head(struct wire_reader *reader, struct flow_page *page)
{
	unsigned magic = wire_get_u16(reader), version = wire_get_u8(reader), flags = wire_get_u8(reader);

	if (reader->failed || magic != MAGIC)
		return -EBADMSG;
	if (version != PROTO_VERSION)
		return -EPROTONOSUPPORT;
	page->from_start = flags & FLAG_FROM_START;
	page->more = flags & FLAG_MORE;
	page->run = wire_get_u64(reader);
	page->last = wire_get_u64(reader);
	page->count = wire_get_u32(reader);
	if (reader->failed || flags & ~(unsigned)(FLAG_FROM_START | FLAG_MORE) || !page->run)
		return -EBADMSG;
	return page->count > FLOW_PAGE_ITEMS_MAX ? -E2BIG : 0;
}

int flow_page_decode(const uint8_t *bytes, size_t size, struct flow_page *ret_page)
{
	struct wire_reader reader = {.bytes = bytes, .size = size};
	struct flow_page page = {0};
	int r = size > FLOW_PAGE_BYTES_MAX ? -E2BIG : get_head(&reader, &page);

	if (r < 0)
		return r;
	page.items = mem_new(page.count + 1, sizeof(*page.items));
	for (size_t i = 0; i < page.count && r == 0; i++)
		r = get_item(&reader, &page.items[i]) ? 0 : -EBADMSG;
	if (r == 0 && reader.position != size)
		r = -EBADMSG;
	if (r < 0)
		flow_page_clear(&page);
	else
		*ret_page = page;
	return r;
}

void flow_page_clear(struct flow_page *page)
{
	free(page->items);
	*page = (struct flow_page){0};
}
