/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"

static const char *const policies[] = {
	[FORWARD_UNMANAGED] = "unmanaged", [FORWARD_ACCEPT] = "accept", [FORWARD_DROP] = "drop"};
static const char *const tables[] = {[TABLE_AUTO] = "auto", [TABLE_OFF] = "off", [TABLE_NUMBER] = "number"};

static void put_snat(json_t *array, const struct desired_snat *snat, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *item = jput_object(array, NULL);

		jput_prefix(item, "from", &snat[i].from);
		jput_text(item, "interface", snat[i].interface);
	}
}

/* Left out: nothing of it. */
static void put_forward(json_t *to, const struct desired_forward *forward)
{
	json_t *object = jput_object(to, "forward");

	jput_text(object, "policy", policies[forward->policy]);
	put_snat(jput_array(object, "snat"), forward->snat, forward->snat_count);
	if (forward->masquerade_count)
		put_snat(jput_array(object, "masquerade"), forward->masquerade, forward->masquerade_count);
	if (forward->clamp_mss)
		jput_bool(object, "clamp_mss", true);
}

/* "10.0.0.1/24", or with a peer {"local": "10.0.0.1", "peer": "10.0.0.2/32"}. */
static void put_address(json_t *array, const struct desired_tunnel *tunnel, size_t index)
{
	const struct prefix *address = &tunnel->addresses[index];
	struct prefix peer = {.addr = tunnel->address_peers[index], .length = address->length};
	json_t *object;

	if (!addr_is_set(&peer.addr)) {
		jput_prefix(array, NULL, address);
		return;
	}
	object = jput_object(array, NULL);
	jput_addr(object, "local", &address->addr);
	jput_prefix(object, "peer", &peer);
}

/* Left out: as the device comes. */
static void put_flags(json_t *object, const struct desired_tunnel *tunnel)
{
	if (tunnel->multicast != MULTICAST_AS_IT_COMES)
		jput_bool(object, "multicast", tunnel->multicast == MULTICAST_ON);
	if (tunnel->link_local)
		jput_bool(object, "link_local", true);
}

static void put_tunnel(json_t *to, const struct desired_tunnel *tunnel)
{
	json_t *object = jput_object(to, NULL), *array;

	jput_text(object, "name", tunnel->name);
	jput_text(object, "private_key_file", tunnel->private_key_file);
	jput_key(object, "public_key", &tunnel->public_key);
	array = jput_array(object, "addresses");
	for (size_t i = 0; i < tunnel->address_count; i++)
		put_address(array, tunnel, i);
	put_flags(object, tunnel);
	jput_u64(object, "listen_port", tunnel->listen_port);
	jput_u64(object, "fwmark", tunnel->fwmark);
	jput_u64(object, "mtu", tunnel->mtu);
	jput_text(object, "table", tables[tunnel->table]);
	if (tunnel->table == TABLE_NUMBER)
		jput_u64(object, "table_number", tunnel->table_number);
	put_forward(object, &tunnel->forward);
	desired_hooks_put(object, tunnel->hooks);
	desired_dns_put(object, &tunnel->dns);
}

void desired_tunnels_put(json_t *to, const char *name, const struct desired *desired)
{
	json_t *array = jput_array(to, name);

	for (size_t i = 0; i < desired->tunnel_count; i++)
		put_tunnel(array, &desired->tunnels[i]);
}

static int get_peered(
	const struct jnode *from, struct prefix *ret_address, struct addr *ret_peer, struct err *err)
{
	struct prefix peer;
	struct addr local;
	int r;

	if ((r = jnode_addr(from, "local", JSON_REQUIRED, &local, err)) ||
		(r = jnode_prefix(from, "peer", JSON_REQUIRED, &peer, err)))
		return r;
	if (local.family != peer.addr.family)
		return jnode_fail(from, err, -EINVAL, "local and peer are of different families");
	*ret_address = (struct prefix){.addr = local, .length = peer.length};
	*ret_peer = peer.addr;
	return 0;
}

static int get_address(const struct jnode *item, struct desired_tunnel *tunnel, size_t index, struct err *err)
{
	struct jnode object;

	if (json_is_object(item->json) && !jnode_object(item, NULL, JSON_REQUIRED, &object, err))
		return get_peered(&object, &tunnel->addresses[index], &tunnel->address_peers[index], err);
	return jnode_prefix(item, NULL, JSON_REQUIRED, &tunnel->addresses[index], err);
}

static int get_flags(const struct jnode *from, struct desired_tunnel *tunnel, struct err *err)
{
	struct jnode node;
	bool multicast = false;
	int r = jnode_bool(from, "multicast", JSON_OPTIONAL, &multicast, err);

	if (!r && jnode_find(from, "multicast", &node))
		tunnel->multicast = multicast ? MULTICAST_ON : MULTICAST_OFF;
	return r ? r : jnode_bool(from, "link_local", JSON_OPTIONAL, &tunnel->link_local, err);
}

static int get_addresses(const struct jnode *from, struct desired_tunnel *tunnel, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "addresses", JSON_REQUIRED, PROTO_ADDRESSES_MAX, &array, err);

	if (r)
		return r;
	tunnel->address_count = jnode_count(&array);
	for (size_t i = 0; !r && i < tunnel->address_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_address(&item, tunnel, i, err);
	}
	return r;
}

static int get_snat(const struct jnode *from, struct desired_snat *snat, struct err *err)
{
	int r = jnode_prefix(from, "from", JSON_REQUIRED, &snat->from, err);

	return r ? r
		 : jnode_name(
			   from, "interface", JSON_REQUIRED, snat->interface, sizeof(snat->interface), err);
}

static int get_snats(const struct jnode *from, const char *name, enum json_need need, size_t *ret_count,
	struct desired_snat to[PROTO_ADDRESSES_MAX], struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, need, PROTO_ADDRESSES_MAX, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_snat(&item, &to[i], err);
		*ret_count = i + 1;
	}
	return r;
}

static int get_forward(const struct jnode *from, struct desired_forward *forward, struct err *err)
{
	struct jnode object;
	unsigned policy;
	int r;

	if ((r = jnode_object(from, "forward", JSON_REQUIRED, &object, err)) ||
		(r = jnode_word(
			 &object, "policy", JSON_REQUIRED, policies, ARRAY_COUNT(policies), &policy, err)))
		return r;
	forward->policy = (enum desired_forward_policy)policy;
	if ((r = get_snats(&object, "snat", JSON_REQUIRED, &forward->snat_count, forward->snat, err)) ||
		(r = get_snats(&object, "masquerade", JSON_OPTIONAL, &forward->masquerade_count,
			 forward->masquerade, err)))
		return r;
	return jnode_bool(&object, "clamp_mss", JSON_OPTIONAL, &forward->clamp_mss, err);
}

static int get_table(const struct jnode *from, struct desired_tunnel *tunnel, struct err *err)
{
	uint64_t number = 0;
	unsigned table;
	int r = jnode_word(from, "table", JSON_REQUIRED, tables, ARRAY_COUNT(tables), &table, err);

	if (!r && table == TABLE_NUMBER)
		r = jnode_u64(from, "table_number", JSON_REQUIRED, 1, UINT32_MAX, &number, err);
	if (r)
		return r;
	tunnel->table = (enum desired_table)table;
	tunnel->table_number = (uint32_t)number;
	return 0;
}

static int get_numbers(const struct jnode *from, struct desired_tunnel *tunnel, struct err *err)
{
	uint64_t listen_port, fwmark, mtu;
	int r;

	if ((r = jnode_u64(from, "listen_port", JSON_REQUIRED, 1, UINT16_MAX, &listen_port, err)) ||
		(r = jnode_u64(from, "fwmark", JSON_REQUIRED, 1, UINT32_MAX, &fwmark, err)) ||
		(r = jnode_u64(from, "mtu", JSON_REQUIRED, 0, UINT16_MAX, &mtu, err)))
		return r;
	tunnel->listen_port = (uint16_t)listen_port;
	tunnel->fwmark = (uint32_t)fwmark;
	tunnel->mtu = (uint32_t)mtu;
	return get_table(from, tunnel, err);
}

static int get_tunnel(const struct jnode *from, struct desired_tunnel *tunnel, struct err *err)
{
	int r;

	if ((r = jnode_name(from, "name", JSON_REQUIRED, tunnel->name, sizeof(tunnel->name), err)) ||
		(r = jnode_text(from, "private_key_file", JSON_REQUIRED, tunnel->private_key_file,
			 sizeof(tunnel->private_key_file), err)) ||
		(r = jnode_key(from, "public_key", JSON_REQUIRED, &tunnel->public_key, err)) ||
		(r = get_addresses(from, tunnel, err)) || (r = get_flags(from, tunnel, err)) ||
		(r = get_numbers(from, tunnel, err)))
		return r;
	if (!tunnel->private_key_file[0])
		return jnode_fail(from, err, -EINVAL, "private_key_file is empty");
	r = get_forward(from, &tunnel->forward, err);
	if (!r)
		r = desired_hooks_get(from, tunnel->hooks, err);
	return r ? r : desired_dns_get(from, &tunnel->dns, err);
}

bool desired_has_tunnel(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->tunnel_count; i++) {
		if (!strcmp(desired->tunnels[i].name, name))
			return true;
	}
	return false;
}

int desired_tunnels_get(const struct jnode *from, const char *name, struct desired *desired, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_REQUIRED, PROTO_TUNNELS_MAX, &array, err);

	if (!r && jnode_count(&array))
		desired->tunnels = mem_new(jnode_count(&array), sizeof(*desired->tunnels));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);
		struct desired_tunnel tunnel = {0};

		r = get_tunnel(&item, &tunnel, err);
		if (!r && desired_has_tunnel(desired, tunnel.name))
			r = jnode_fail(&item, err, -EINVAL, "tunnel %s is there twice", tunnel.name);
		if (!r)
			desired->tunnels[desired->tunnel_count++] = tunnel;
		else
			desired_tunnel_clear(&tunnel);
	}
	return r;
}
