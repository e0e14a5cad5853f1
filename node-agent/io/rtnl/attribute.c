/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/attribute.h"

#include <libmnl/libmnl.h>
#include <string.h>

static void clear_table(const struct nlattr *table[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		table[i] = NULL;
}

void attribute_span(const void *payload, size_t size_bytes, const struct nlattr *table[], size_t count)
{
	const char *end = (const char *)payload + size_bytes;
	const struct nlattr *attribute = payload;

	clear_table(table, count);
	while (mnl_attr_ok(attribute, (int)(end - (const char *)attribute))) {
		if (mnl_attr_get_type(attribute) < count)
			table[mnl_attr_get_type(attribute)] = attribute;
		attribute = mnl_attr_next(attribute);
	}
}

bool attribute_table(
	const struct nlmsghdr *message, size_t header_bytes, const struct nlattr *table[], size_t count)
{
	size_t size = mnl_nlmsg_get_payload_len(message), aligned = MNL_ALIGN(header_bytes);
	const char *payload = mnl_nlmsg_get_payload(message);

	attribute_span(payload + aligned, size > aligned ? size - aligned : 0, table, count);
	return size >= header_bytes;
}

void attribute_nest(const struct nlattr *nest, const struct nlattr *table[], size_t count)
{
	if (nest)
		attribute_span(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), table, count);
	else
		clear_table(table, count);
}

bool attribute_sizes_hold(
	const struct nlattr *const table[], const struct attribute_size *sizes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct nlattr *attribute = table[sizes[i].type];

		if (attribute && mnl_attr_get_payload_len(attribute) < sizes[i].min_bytes)
			return false;
	}
	return true;
}

bool attribute_bytes(const struct nlattr *attribute, void *ret_bytes, size_t size_bytes)
{
	if (!attribute || mnl_attr_get_payload_len(attribute) < size_bytes)
		return false;
	memcpy(ret_bytes, mnl_attr_get_payload(attribute), size_bytes);
	return true;
}

bool attribute_u8(const struct nlattr *attribute, uint8_t *ret_value)
{
	return attribute_bytes(attribute, ret_value, sizeof *ret_value);
}

bool attribute_u16(const struct nlattr *attribute, uint16_t *ret_value)
{
	return attribute_bytes(attribute, ret_value, sizeof *ret_value);
}

bool attribute_u32(const struct nlattr *attribute, uint32_t *ret_value)
{
	return attribute_bytes(attribute, ret_value, sizeof *ret_value);
}

bool attribute_u64(const struct nlattr *attribute, uint64_t *ret_value)
{
	return attribute_bytes(attribute, ret_value, sizeof *ret_value);
}

bool attribute_addr(const struct nlattr *attribute, int family, struct addr *ret_addr)
{
	struct addr addr = {.family = (uint8_t)family};

	if (!attribute_bytes(attribute, addr.bytes, addr_bytes(&addr)) || !addr_is_set(&addr))
		return false;
	*ret_addr = addr;
	return true;
}

bool attribute_text(const struct nlattr *attribute, char *ret_text, size_t size)
{
	size_t length;

	if (!attribute)
		return false;
	length = strnlen(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
	if (length >= size)
		return false;
	memcpy(ret_text, mnl_attr_get_payload(attribute), length);
	ret_text[length] = '\0';
	return true;
}

bool attribute_text_if_any(const struct nlattr *attribute, char *ret_text, size_t size)
{
	return !attribute || attribute_text(attribute, ret_text, size);
}

void attribute_put_addr(struct nlmsghdr *message, uint16_t type, const struct addr *addr)
{
	mnl_attr_put(message, type, addr_bytes(addr), addr->bytes);
}
