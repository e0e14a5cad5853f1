/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/host.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "proto/desired_json.h"

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

static int get_share(const struct jnode *item, struct desired_peer *peer, struct err *err)
{
	struct desired_share *share = &peer->shares[peer->share_count];
	uint64_t priority = 0, table = 0;
	int r;

	if ((r = jnode_prefix(item, "prefix", JSON_REQUIRED, &share->prefix, err)) ||
		(r = jnode_u64(item, "priority", JSON_REQUIRED, 0, PROTO_PRIORITY_MAX, &priority, err)) ||
		(r = jnode_addr(item, "probe", JSON_OPTIONAL, &share->probe, err)) ||
		(r = jnode_u64(item, "table", JSON_OPTIONAL, 1, UINT32_MAX, &table, err)))
		return r;
	share->priority = (uint32_t)priority;
	share->table = (uint32_t)table;
	if (!peer->allowed_ip_count || !bsearch(&share->prefix, peer->allowed_ips, peer->allowed_ip_count,
					       sizeof(*peer->allowed_ips), compare_prefixes))
		return jnode_fail(item, err, -EINVAL, "is none of allowed_ips");
	if (peer->share_count && prefix_compare(&share[-1].prefix, &share->prefix) >= 0)
		return jnode_fail(item, err, -EINVAL, "not in rising order");
	peer->share_count++;
	return 0;
}

static int get_shares(const struct jnode *from, struct desired_peer *peer, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "shares", JSON_OPTIONAL, PROTO_ALLOWED_IPS_MAX, &array, err);

	if (!r && jnode_count(&array))
		peer->shares = mem_new(jnode_count(&array), sizeof(*peer->shares));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_share(&item, peer, err);
	}
	return r;
}

static int get_routing(const struct jnode *from, struct desired_peer *peer, struct err *err)
{
	uint64_t metric = 0, table = 0;
	int r;

	if ((r = jnode_bool(from, "unrouted", JSON_OPTIONAL, &peer->unrouted, err)) ||
		(r = jnode_u64(from, "route_metric", JSON_OPTIONAL, 0, UINT32_MAX, &metric, err)) ||
		(r = jnode_u64(from, "route_table", JSON_OPTIONAL, 0, UINT32_MAX, &table, err)))
		return r;
	peer->route_metric = (uint32_t)metric;
	peer->route_table = (uint32_t)table;
	return 0;
}

/* An address, or a name and a port. */
static int get_endpoint(const struct jnode *from, struct desired_peer *peer, struct err *err)
{
	uint64_t port = 0;
	int r;

	if ((r = jnode_endpoint(from, "endpoint", JSON_OPTIONAL, &peer->endpoint, err)) ||
		(r = jnode_text_new(
			 from, "endpoint_host", JSON_OPTIONAL, HOST_MAX, &peer->endpoint_host, err)) ||
		!peer->endpoint_host)
		return r;
	if (!host_is_name(peer->endpoint_host))
		return jnode_fail(from, err, -EINVAL, "endpoint_host is not the name of a host");
	if (addr_is_set(&peer->endpoint.addr))
		return jnode_fail(from, err, -EINVAL, "endpoint and endpoint_host exclude each other");
	r = jnode_u64(from, "endpoint_port", JSON_REQUIRED, 1, UINT16_MAX, &port, err);
	peer->endpoint_port = (uint16_t)port;
	return r;
}

/* In rising order, so none twice. */
static int get_groups(const struct jnode *from, struct desired_peer *peer, struct err *err)
{
	char name[PROTO_NAME_MAX + 1], before[PROTO_NAME_MAX + 1] = "";
	struct text text = {0};
	struct jnode array;
	int r = jnode_array(from, "groups", JSON_OPTIONAL, PROTO_GROUPS_MAX, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_name(&item, NULL, JSON_REQUIRED, name, sizeof(name), err);
		if (!r && strcmp(before, name) >= 0)
			r = jnode_fail(&item, err, -EINVAL, "not in rising order");
		text_add(&text, "%s%s", i ? "," : "", r ? "" : name);
		memcpy(before, name, sizeof(name));
	}
	if (!r && text.length)
		peer->groups = text_take(&text);
	else
		text_clear(&text);
	return r;
}

static int get_peer(const struct jnode *from, struct desired_peer *peer, struct err *err)
{
	uint64_t keepalive_s = 0, expires_s = 0;
	int r;

	if ((r = jnode_name(from, "name", JSON_REQUIRED, peer->name, sizeof(peer->name), err)) ||
		(r = jnode_name(from, "tunnel", JSON_REQUIRED, peer->tunnel, sizeof(peer->tunnel), err)) ||
		(r = jnode_key(from, "public_key", JSON_REQUIRED, &peer->public_key, err)) ||
		(r = jnode_text_new(from, "preshared_key_file", JSON_OPTIONAL, PROTO_PATH_MAX,
			 &peer->preshared_key_file, err)) ||
		(r = get_endpoint(from, peer, err)) ||
		(r = jnode_u64(from, "keepalive_s", JSON_OPTIONAL, 0, UINT16_MAX, &keepalive_s, err)) ||
		(r = jnode_u64(from, "expires_s", JSON_OPTIONAL, 0, DATE_MAX_S, &expires_s, err)) ||
		(r = get_groups(from, peer, err)))
		return r;
	peer->expires_s = (int64_t)expires_s;
	peer->keepalive_s = (uint16_t)keepalive_s;
	r = get_routing(from, peer, err);
	if (!r)
		r = prefixes_get(from, "allowed_ips", PROTO_ALLOWED_IPS_MAX, &peer->allowed_ips,
			&peer->allowed_ip_count, err);
	return r ? r : get_shares(from, peer, err);
}

static int get_next_peer(const struct jnode *item, struct desired *desired, struct err *err)
{
	struct desired_peer *peer = &desired->peers[desired->peer_count++];
	int r = get_peer(item, peer, err);

	if (r)
		return r;
	if (peer->preshared_key_file && !peer->preshared_key_file[0])
		return jnode_fail(item, err, -EINVAL, "preshared_key_file is empty");
	if (!desired_has_tunnel(desired, peer->tunnel))
		return jnode_fail(item, err, -EINVAL, "there is no tunnel %s", peer->tunnel);
	if (desired->peer_count > 1 && desired_peer_compare(peer - 1, peer) >= 0)
		return jnode_fail(item, err, -EINVAL, "not in rising order of tunnel and public key");
	return 0;
}

int desired_peers_get(const struct jnode *from, const char *name, struct desired *desired, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_REQUIRED, PROTO_PEERS_MAX, &array, err);

	if (!r && jnode_count(&array))
		desired->peers = mem_new(jnode_count(&array), sizeof(*desired->peers));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_next_peer(&item, desired, err);
	}
	return r;
}
