/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/target.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/plan/target_int.h"

void plan_scope_add_link(struct plan_scope *scope, const char *name)
{
	if (plan_scope_has_link(scope, name))
		return;
	scope->links =
		mem_grow(scope->links, &scope->link_capacity, scope->link_count + 1, sizeof(*scope->links));
	text_copy(scope->links[scope->link_count++], sizeof(*scope->links), name);
}

static bool claimed(const struct plan_scope *scope, const char *device, const struct addr *addr)
{
	for (size_t i = 0; i < scope->claim_count; i++)
		if (!strcmp(scope->claims[i].device, device) && addr_equal(&scope->claims[i].addr, addr))
			return true;
	return false;
}

void plan_scope_claim(struct plan_scope *scope, const char *device, const struct addr *addr)
{
	struct plan_claim *claim;

	if (claimed(scope, device, addr))
		return;
	scope->claims =
		mem_grow(scope->claims, &scope->claim_capacity, scope->claim_count + 1, sizeof(*claim));
	claim = &scope->claims[scope->claim_count++];
	text_copy(claim->device, sizeof(claim->device), device);
	claim->addr = *addr;
}

void plan_scope_generation(struct plan_scope *scope, const struct desired *desired)
{
	for (size_t i = 0; i < desired->tunnel_count; i++) {
		struct prefix link_local = plan_link_local(&desired->tunnels[i].public_key);

		plan_scope_add_link(scope, desired->tunnels[i].name);
		plan_scope_claim(scope, desired->tunnels[i].name, &link_local.addr);
	}
	for (size_t i = 0; i < desired->endpoint_count; i++)
		plan_scope_endpoint(scope, &desired->endpoints[i]);
}

static void scope_merge(struct plan_scope *scope, const struct plan_scope *from)
{
	for (size_t i = 0; i < from->link_count; i++)
		plan_scope_add_link(scope, from->links[i]);
	for (size_t i = 0; i < from->claim_count; i++)
		plan_scope_claim(scope, from->claims[i].device, &from->claims[i].addr);
}

void plan_scope_clear(struct plan_scope *scope)
{
	if (!scope)
		return;
	free(scope->links);
	free(scope->claims);
	*scope = (struct plan_scope){0};
}

void plan_target_init(struct plan_target *ret_target, const struct plan_facts *facts)
{
	const struct desired *desired = facts->desired;

	*ret_target = (struct plan_target){0};
	plan_scope_generation(&ret_target->scope, desired);
	if (facts->previous)
		plan_scope_generation(&ret_target->scope, facts->previous);
	if (facts->left)
		scope_merge(&ret_target->scope, facts->left);
	for (size_t i = 0; i < desired->tunnel_count; i++)
		plan_target_tunnel(ret_target, facts, i);
	for (size_t i = 0; i < desired->endpoint_count; i++)
		plan_target_endpoint(ret_target, facts, i);
	plan_target_bypass(ret_target, facts);
}

void plan_target_clear(struct plan_target *target)
{
	if (!target)
		return;
	plan_world_clear(&target->world);
	plan_scope_clear(&target->scope);
	*target = (struct plan_target){0};
}

bool plan_scope_has_link(const struct plan_scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->link_count; i++)
		if (!strcmp(scope->links[i], name))
			return true;
	return false;
}

bool plan_scope_has_address(const struct plan_scope *scope, const struct plan_address *address)
{
	if (plan_scope_has_link(scope, address->device) && !addr_is_link_local(&address->prefix.addr))
		return true;
	return claimed(scope, address->device, &address->prefix.addr);
}

void plan_scope_endpoint(struct plan_scope *scope, const struct desired_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->dial_count; i++) {
		plan_scope_claim(scope, "lo", &endpoint->dial[i]);
		plan_scope_claim(scope, endpoint->dial_interface, &endpoint->dial[i]);
	}
	for (size_t i = 0; i < endpoint->inside_count; i++)
		plan_scope_claim(scope, endpoint->inside[i].interface, &endpoint->inside[i].address.addr);
}
