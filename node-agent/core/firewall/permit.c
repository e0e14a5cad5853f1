/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/permit.h"

#include <errno.h>
#include <string.h>

int fw_permit_add_address(struct fw_permit *permit, const struct addr *address)
{
	for (size_t i = 0; i < permit->address_count; i++)
		if (addr_equal(&permit->addresses[i], address))
			return 0;
	if (permit->address_count == FW_PERMIT_ADDRESSES_MAX)
		return -E2BIG;
	permit->addresses[permit->address_count++] = *address;
	return 0;
}

int fw_permit_add_mark(struct fw_permit *permit, uint32_t mark)
{
	for (size_t i = 0; i < permit->mark_count; i++)
		if (permit->marks[i] == mark)
			return 0;
	if (permit->mark_count == FW_PERMIT_MARKS_MAX)
		return -E2BIG;
	permit->marks[permit->mark_count++] = mark;
	return 0;
}

static const struct desired_endpoint *endpoint_named(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->endpoint_count; i++)
		if (strcmp(desired->endpoints[i].name, name) == 0)
			return &desired->endpoints[i];
	return NULL;
}

static const struct desired_tunnel *tunnel_named(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (strcmp(desired->tunnels[i].name, name) == 0)
			return &desired->tunnels[i];
	return NULL;
}

static int add_addresses(const struct desired_endpoint *endpoint, struct fw_permit *permit)
{
	int error = 0;
	for (size_t i = 0; i < endpoint->dial_count && !error; i++)
		error = fw_permit_add_address(permit, &endpoint->dial[i]);
	for (size_t i = 0; i < endpoint->inside_count && !error; i++)
		error = fw_permit_add_address(permit, &endpoint->inside[i].address.addr);
	return error;
}

static int add_marks(
	const struct desired *desired, const struct desired_endpoint *endpoint, struct fw_permit *permit)
{
	int error = 0;
	for (size_t i = 0; i < endpoint->tunnel_count && !error; i++) {
		const struct desired_tunnel *tunnel = tunnel_named(desired, endpoint->tunnels[i]);
		error = tunnel ? fw_permit_add_mark(permit, tunnel->fwmark) : -ENOENT;
	}
	return error;
}

int fw_permit_of(const struct desired *desired, const char *name, struct fw_permit *ret_permit)
{
	const struct desired_endpoint *endpoint = endpoint_named(desired, name);
	struct fw_permit permit = {.announces = true};
	if (!endpoint)
		return -ENOENT;
	int error = add_addresses(endpoint, &permit);
	if (!error)
		error = add_marks(desired, endpoint, &permit);
	if (!error)
		*ret_permit = permit;
	return error;
}

bool fw_permit_equal(const struct fw_permit *a, const struct fw_permit *b)
{
	if (a->address_count != b->address_count || a->mark_count != b->mark_count ||
		a->announces != b->announces)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!addr_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return memcmp(a->marks, b->marks, a->mark_count * sizeof a->marks[0]) == 0;
}
