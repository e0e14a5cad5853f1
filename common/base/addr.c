/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

int addr_parse(const char *text, struct addr *ret_addr, struct err *err)
{
	struct addr addr = {0};

	addr.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(addr.family, text, addr.bytes) != 1)
		return err_set(err, -EINVAL, "\"%.64s\" is not an IP address", text);
	*ret_addr = addr;
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret_prefix, struct err *err)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT_MAX] = "";
	struct prefix prefix;
	uint64_t bits;

	if (length < sizeof host)
		memcpy(host, text, length);
	if (addr_parse(host, &prefix.addr, NULL) < 0)
		return err_set(err, -EINVAL,
			"\"%.64s\" is not an address or prefix such as 10.0.0.0/8 or 2001:db8::/32", text);
	bits = addr_bits(&prefix.addr);
	if (slash && (strlen(slash + 1) > 3 || text_to_u64(slash + 1, 0, bits, &bits) < 0))
		return err_set(err, -EINVAL, "\"%.64s\": the prefix length must be from 0 to %u", text,
			addr_bits(&prefix.addr));
	prefix.length = (uint8_t)bits;
	*ret_prefix = prefix;
	return 0;
}

char *addr_format(const struct addr *addr, char *buffer, size_t size)
{
	if (!addr_is_set(addr) || !inet_ntop(addr->family, addr->bytes, buffer, (socklen_t)size))
		text_copy(buffer, size, "(none)");
	return buffer;
}

char *prefix_format(const struct prefix *prefix, char *buffer, size_t size)
{
	char host[ADDR_TEXT_MAX];

	if (!addr_is_set(&prefix->addr))
		text_copy(buffer, size, "(none)");
	else
		snprintf(
			buffer, size, "%s/%u", addr_format(&prefix->addr, host, sizeof host), prefix->length);
	return buffer;
}

bool addr_is_set(const struct addr *addr)
{
	return addr->family != 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return prefix_compare(a, b) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order != 0 ? order : (int)a->length - (int)b->length;
}

unsigned addr_bits(const struct addr *addr)
{
	return (unsigned)addr_bytes(addr) * 8;
}

size_t addr_bytes(const struct addr *addr)
{
	return addr->family == AF_INET ? 4 : addr->family == AF_INET6 ? 16 : 0;
}

struct prefix addr_to_prefix(const struct addr *addr)
{
	return (struct prefix){.addr = *addr, .length = (uint8_t)addr_bits(addr)};
}

struct prefix prefix_mask(const struct prefix *prefix)
{
	struct prefix masked = *prefix;
	size_t whole = prefix->length / 8;

	if (whole < sizeof masked.addr.bytes) {
		masked.addr.bytes[whole] &= (uint8_t) ~(0xffu >> prefix->length % 8);
		memset(masked.addr.bytes + whole + 1, 0, sizeof masked.addr.bytes - whole - 1);
	}
	return masked;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	struct prefix inner = addr_to_prefix(addr);

	return prefix_covers(prefix, &inner);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	struct prefix a = prefix_mask(outer), b = *inner;

	if (!addr_is_set(&a.addr) || a.addr.family != b.addr.family || a.length > b.length)
		return false;
	b.length = a.length;
	b = prefix_mask(&b);
	return addr_equal(&a.addr, &b.addr);
}

struct addr addr_source(const struct addr *addr)
{
	struct prefix source = {.addr = *addr, .length = addr->family == AF_INET6 ? 64 : 32};

	return prefix_mask(&source).addr;
}

bool addr_is_link_local(const struct addr *addr)
{
	if (addr->family == AF_INET)
		return addr->bytes[0] == 169 && addr->bytes[1] == 254;
	return addr->family == AF_INET6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}
