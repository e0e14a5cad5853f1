/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/desired_json.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/message.h"

void addrs_put(json_t *to, const char *name, const struct addr *addrs, size_t count)
{
	json_t *array = jput_array(to, name);

	for (size_t i = 0; i < count; i++)
		jput_addr(array, NULL, &addrs[i]);
}

int addrs_get(const struct jnode *from, const char *name, struct addr *ret_addrs, size_t *ret_count,
	struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_REQUIRED, PROTO_ADDRESSES_MAX, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_addr(&item, NULL, JSON_REQUIRED, &ret_addrs[i], err);
	}
	if (!r)
		*ret_count = jnode_count(&array);
	return r;
}

static void put_partners(json_t *to, const struct desired *desired)
{
	json_t *array = jput_array(to, "partners");

	for (size_t i = 0; i < desired->partner_count; i++) {
		const struct desired_partner *partner = &desired->partners[i];
		json_t *item = jput_object(array, NULL);

		jput_text(item, "name", partner->name);
		jput_bool(item, "is_controller", partner->is_controller);
		addrs_put(item, "addresses", partner->addresses, partner->address_count);
		jput_hex(item, "pair_key", partner->pair_key.bytes, sizeof(partner->pair_key.bytes));
	}
}

void desired_put(json_t *to, const struct desired *desired)
{
	jput_u64(to, "generation", desired->generation);
	jput_hex64(to, "store", desired->store);
	if (!key_is_zero(&desired->grant_key))
		jput_hex(to, "grant_key", desired->grant_key.bytes, KEY_BYTES);
	jput_text(to, "fleet", desired->fleet);
	jput_text(to, "gateway", desired->gateway);
	addrs_put(to, "addresses", desired->addresses, desired->address_count);
	jput_u64(to, "liveness_ms", desired->liveness_ms);
	desired_tunnels_put(to, "tunnels", desired);
	desired_endpoints_put(to, "endpoints", desired);
	desired_groups_put(to, "groups", desired);
	put_partners(to, desired);
	(void)jput_array(to, "peers"); /* desired_put_peers_in() */
}

/* A malformed secret is a secret too: the error says only where it is. */
static int get_pair_key(const struct jnode *from, struct key *key, struct err *err)
{
	if (jnode_hex(from, "pair_key", JSON_REQUIRED, key->bytes, sizeof(key->bytes), NULL))
		return jnode_fail(
			from, err, -EINVAL, "pair_key is not %d lower-case hex digits", 2 * KEY_BYTES);
	return 0;
}

static int get_partner(const struct jnode *from, struct desired_partner *partner, struct err *err)
{
	int r;

	if ((r = jnode_name(from, "name", JSON_REQUIRED, partner->name, sizeof(partner->name), err)) ||
		(r = jnode_bool(from, "is_controller", JSON_REQUIRED, &partner->is_controller, err)) ||
		(r = addrs_get(from, "addresses", partner->addresses, &partner->address_count, err)))
		return r;
	return get_pair_key(from, &partner->pair_key, err);
}

static int get_partners(const struct jnode *from, struct desired *desired, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "partners", JSON_REQUIRED, PROTO_PARTNERS_MAX, &array, err);

	if (r || !jnode_count(&array))
		return r;
	desired->partner_count = jnode_count(&array);
	desired->partners = mem_new(desired->partner_count, sizeof(*desired->partners));
	for (size_t i = 0; !r && i < desired->partner_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_partner(&item, &desired->partners[i], err);
	}
	return r;
}

static int get_head(const struct jnode *from, struct desired *desired, struct err *err)
{
	uint64_t liveness_ms;
	int r;

	if ((r = jnode_u64(from, "generation", JSON_REQUIRED, 0, INT64_MAX, &desired->generation, err)) ||
		(r = jnode_hex64(from, "store", JSON_REQUIRED, &desired->store, err)) ||
		(r = jnode_hex(from, "grant_key", JSON_OPTIONAL, desired->grant_key.bytes, KEY_BYTES, err)) ||
		(r = jnode_name(from, "fleet", JSON_REQUIRED, desired->fleet, sizeof(desired->fleet), err)) ||
		(r = jnode_name(
			 from, "gateway", JSON_REQUIRED, desired->gateway, sizeof(desired->gateway), err)) ||
		(r = addrs_get(from, "addresses", desired->addresses, &desired->address_count, err)) ||
		(r = jnode_u64(from, "liveness_ms", JSON_REQUIRED, 1, UINT32_MAX, &liveness_ms, err)))
		return r;
	desired->liveness_ms = (uint32_t)liveness_ms;
	return 0;
}

int desired_get(const struct jnode *from, struct desired **ret_desired, struct err *err)
{
	struct desired *desired = desired_new();
	int r;

	if ((r = get_head(from, desired, err)) || (r = desired_tunnels_get(from, "tunnels", desired, err)) ||
		(r = desired_endpoints_get(from, "endpoints", desired, err)) ||
		(r = desired_groups_get(from, "groups", desired, err)) ||
		(r = get_partners(from, desired, err)) ||
		(r = desired_peers_get(from, "peers", desired, err))) {
		desired_free(desired);
		return r;
	}
	*ret_desired = desired;
	return 0;
}

void desired_wipe_json(json_t *json)
{
	json_t *partners = json_object_get(json, "partners");

	for (size_t i = 0; i < json_array_size(partners); i++)
		message_wipe_text(json_object_get(json_array_get(partners, i), "pair_key"));
}

char *desired_encode_with(const struct desired *desired, const char *peers)
{
	json_t *json = message_new();
	char *text;

	desired_put(json, desired);
	text = json_canonical(json, NULL);
	desired_wipe_json(json);
	json_decref(json);
	return desired_put_peers_in(text, &peers, 1);
}

char *desired_encode(const struct desired *desired)
{
	CLEANUP_FREE char *peers = desired_peers_encode(desired);

	return desired_encode_with(desired, peers);
}

int desired_decode(const char *text, size_t size, struct desired **ret_desired, struct err *err)
{
	struct jnode root;
	json_t *json;
	int r = message_parse(text, size, &json, err);

	if (r)
		return r;
	root = jnode_root(json);
	r = desired_get(&root, ret_desired, err);
	desired_wipe_json(json);
	json_decref(json);
	return r;
}
