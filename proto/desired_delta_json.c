/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"
#include "proto/message.h"

/* Fills the object `to`. */
static void put_delta(json_t *to, const struct desired_delta *delta)
{
	json_t *array;

	jput_u64(to, "base", delta->base);
	desired_put(jput_object(to, "to"), delta->head_and_set_peers);
	array = jput_array(to, "removed");
	for (size_t i = 0; i < delta->removed_count; i++) {
		json_t *item = jput_object(array, NULL);

		jput_text(item, "tunnel", delta->removed[i].tunnel);
		jput_key(item, "public_key", &delta->removed[i].public_key);
	}
}

void desired_delta_put(json_t *to, const char *name, const struct desired_delta *delta)
{
	put_delta(jput_object(to, name), delta);
}

static int compare_keys(const struct desired_peer_key *a, const struct desired_peer_key *b)
{
	int order = strcmp(a->tunnel, b->tunnel);

	return order ? order : memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static int get_next_removed(const struct jnode *item, struct desired_delta *delta, struct err *err)
{
	struct desired_peer_key *key = &delta->removed[delta->removed_count];
	int r;

	if ((r = jnode_name(item, "tunnel", JSON_REQUIRED, key->tunnel, sizeof(key->tunnel), err)) ||
		(r = jnode_key(item, "public_key", JSON_REQUIRED, &key->public_key, err)))
		return r;
	if (delta->removed_count && compare_keys(key - 1, key) >= 0)
		return jnode_fail(item, err, -EINVAL, "not in rising order of tunnel and public key");
	delta->removed_count++;
	return 0;
}

static int get_removed(const struct jnode *from, struct desired_delta *delta, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "removed", JSON_REQUIRED, PROTO_PEERS_MAX, &array, err);

	if (r || !jnode_count(&array))
		return r;
	if (!delta->base)
		return jnode_fail(&array, err, -EINVAL, "nothing can be removed from nothing (base is 0)");
	delta->removed = mem_new(jnode_count(&array), sizeof(*delta->removed));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_next_removed(&item, delta, err);
	}
	return r;
}

int desired_delta_get(const struct jnode *from, struct desired_delta **ret_delta, struct err *err)
{
	struct desired_delta *delta = mem_new(1, sizeof(*delta));
	struct jnode to;
	int r;

	if ((r = jnode_u64(from, "base", JSON_REQUIRED, 0, INT64_MAX, &delta->base, err)) ||
		(r = jnode_object(from, "to", JSON_REQUIRED, &to, err)) ||
		(r = desired_get(&to, &delta->head_and_set_peers, err)) ||
		(r = get_removed(from, delta, err))) {
		desired_delta_free(delta);
		return r;
	}
	*ret_delta = delta;
	return 0;
}

void desired_delta_wipe_json(json_t *json)
{
	desired_wipe_json(json_object_get(json, "to"));
}

char *desired_delta_encode(const struct desired_delta *delta)
{
	CLEANUP_FREE char *peers = desired_peers_encode(delta->head_and_set_peers);
	const char *const all[] = {peers};
	json_t *json = message_new();
	char *text;

	put_delta(json, delta);
	text = json_canonical(json, NULL);
	desired_delta_wipe_json(json);
	json_decref(json);
	return desired_put_peers_in(text, all, 1);
}

int desired_delta_decode(const char *text, size_t size, struct desired_delta **ret_delta, struct err *err)
{
	struct jnode root;
	json_t *json;
	int r = message_parse(text, size, &json, err);

	if (r)
		return r;
	root = jnode_root(json);
	r = desired_delta_get(&root, ret_delta, err);
	desired_delta_wipe_json(json);
	json_decref(json);
	return r;
}
