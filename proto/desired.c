/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/desired_text.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

int desired_peer_compare(const struct desired_peer *a, const struct desired_peer *b)
{
	int order = strcmp(a->tunnel, b->tunnel);

	return order ? order : memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool allowed_ips_equal(const struct desired_peer *a, const struct desired_peer *b)
{
	if (a->allowed_ip_count != b->allowed_ip_count)
		return false;
	for (size_t i = 0; i < a->allowed_ip_count; i++) {
		if (!prefix_equal(&a->allowed_ips[i], &b->allowed_ips[i]))
			return false;
	}
	return true;
}

static bool shares_equal(const struct desired_peer *a, const struct desired_peer *b)
{
	if (a->share_count != b->share_count)
		return false;
	for (size_t i = 0; i < a->share_count; i++) {
		const struct desired_share *left = &a->shares[i], *right = &b->shares[i];

		if (!prefix_equal(&left->prefix, &right->prefix) || left->priority != right->priority ||
			!addr_equal(&left->probe, &right->probe) || left->table != right->table)
			return false;
	}
	return true;
}

bool desired_peer_equal(const struct desired_peer *a, const struct desired_peer *b)
{
	return !desired_peer_compare(a, b) && !strcmp(a->name, b->name) &&
	       text_equal(a->preshared_key_file, b->preshared_key_file) &&
	       endpoint_equal(&a->endpoint, &b->endpoint) && text_equal(a->endpoint_host, b->endpoint_host) &&
	       a->endpoint_port == b->endpoint_port && a->keepalive_s == b->keepalive_s &&
	       a->unrouted == b->unrouted && a->route_metric == b->route_metric &&
	       a->route_table == b->route_table && a->expires_s == b->expires_s &&
	       text_equal(a->groups, b->groups) && allowed_ips_equal(a, b) && shares_equal(a, b);
}

bool desired_peers_equal(const struct desired *a, const struct desired *b)
{
	if (a->peer_count != b->peer_count)
		return false;
	for (size_t i = 0; i < a->peer_count; i++)
		if (!desired_peer_equal(&a->peers[i], &b->peers[i]))
			return false;
	return true;
}

bool desired_peer_is_in(const struct desired_peer *peer, const char *group)
{
	size_t length = strlen(group);

	for (const char *at = peer->groups; at;) {
		size_t end = strcspn(at, ",");

		if (end == length && !strncmp(at, group, length))
			return true;
		at = at[end] ? at + end + 1 : NULL;
	}
	return false;
}

bool desired_peer_is_expired(const struct desired_peer *peer, int64_t now_s)
{
	return peer->expires_s && peer->expires_s <= now_s;
}

/* A copy of count items; NULL for none. */
static void *copy_items(const void *items, size_t count, size_t item_size)
{
	void *copy = NULL;

	if (count) {
		copy = mem_new(count, item_size);
		memcpy(copy, items, count * item_size);
	}
	return copy;
}

void desired_peer_copy(struct desired_peer *to, const struct desired_peer *from)
{
	*to = *from;
	to->preshared_key_file = mem_text(from->preshared_key_file);
	to->endpoint_host = mem_text(from->endpoint_host);
	to->groups = mem_text(from->groups);
	to->allowed_ips = copy_items(from->allowed_ips, from->allowed_ip_count, sizeof(*from->allowed_ips));
	to->shares = copy_items(from->shares, from->share_count, sizeof(*from->shares));
}

void desired_peer_clear(struct desired_peer *peer)
{
	free(peer->preshared_key_file);
	free(peer->endpoint_host);
	free(peer->groups);
	free(peer->allowed_ips);
	free(peer->shares);
	*peer = (struct desired_peer){0};
}

void desired_tunnel_clear(struct desired_tunnel *tunnel)
{
	for (size_t i = 0; i < HOOKS; i++)
		texts_clear(&tunnel->hooks[i]);
	texts_clear(&tunnel->dns);
}

bool desired_tunnel_has_hooks(const struct desired_tunnel *tunnel)
{
	for (size_t i = 0; i < HOOKS; i++)
		if (tunnel->hooks[i].count)
			return true;
	return false;
}

struct desired *desired_new(void)
{
	return mem_new(1, sizeof(struct desired));
}

void desired_free(struct desired *desired)
{
	if (!desired)
		return;
	for (size_t i = 0; i < desired->peer_count; i++)
		desired_peer_clear(&desired->peers[i]);
	for (size_t i = 0; i < desired->group_count; i++)
		free(desired->groups[i].may_reach);
	free(desired->groups);
	if (desired->partners)
		mem_wipe(desired->partners, desired->partner_count * sizeof(*desired->partners));
	for (size_t i = 0; i < desired->tunnel_count; i++)
		desired_tunnel_clear(&desired->tunnels[i]);
	free(desired->tunnels);
	free(desired->endpoints);
	free(desired->partners);
	free(desired->peers);
	free(desired);
}

static struct desired_group *copy_groups(const struct desired_group *groups, size_t count)
{
	struct desired_group *copy = copy_items(groups, count, sizeof(*groups));

	for (size_t i = 0; i < count; i++)
		copy[i].may_reach = copy_items(
			groups[i].may_reach, groups[i].may_reach_count, sizeof(*groups[i].may_reach));
	return copy;
}

static struct desired_tunnel *copy_tunnels(const struct desired_tunnel *tunnels, size_t count)
{
	struct desired_tunnel *copy = copy_items(tunnels, count, sizeof(*tunnels));

	for (size_t i = 0; i < count; i++) {
		for (size_t hook = 0; hook < HOOKS; hook++)
			texts_copy(&copy[i].hooks[hook], &tunnels[i].hooks[hook]);
		texts_copy(&copy[i].dns, &tunnels[i].dns);
	}
	return copy;
}

struct desired *desired_copy_head(const struct desired *desired)
{
	struct desired *copy = desired_new();

	*copy = *desired;
	copy->tunnels = copy_tunnels(desired->tunnels, desired->tunnel_count);
	copy->endpoints =
		copy_items(desired->endpoints, desired->endpoint_count, sizeof(*desired->endpoints));
	copy->partners = copy_items(desired->partners, desired->partner_count, sizeof(*desired->partners));
	copy->groups = copy_groups(desired->groups, desired->group_count);
	copy->peer_count = 0;
	copy->peers = NULL;
	return copy;
}

struct desired *desired_copy(const struct desired *desired)
{
	struct desired *copy = desired_copy_head(desired);

	if (desired->peer_count)
		copy->peers = mem_new(desired->peer_count, sizeof(*copy->peers));
	for (size_t i = 0; i < desired->peer_count; i++)
		desired_peer_copy(&copy->peers[i], &desired->peers[i]);
	copy->peer_count = desired->peer_count;
	return copy;
}
