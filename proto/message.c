/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static const struct json_limits limits = {.max_bytes = PROTO_JSON_MAX, .max_depth = 16};

json_t *message_new(void)
{
	json_t *json = json_object();

	jput_u64(json, "version", PROTO_VERSION);
	return json;
}

char *message_take(json_t *json)
{
	char *text = json_canonical(json, NULL);

	json_decref(json);
	return text;
}

static int check_version(const json_t *json, struct err *err)
{
	struct jnode root = jnode_root(json);
	uint64_t version;
	int r = jnode_u64(&root, "version", JSON_REQUIRED, 0, INT64_MAX, &version, err);

	if (!r && version != PROTO_VERSION)
		return err_set(err, -EPROTONOSUPPORT,
			"the other side speaks version %llu of the protocol, this one %d: upgrade the older",
			(unsigned long long)version, PROTO_VERSION);
	return r;
}

int message_parse(const char *text, size_t size, json_t **ret_json, struct err *err)
{
	json_t *json;
	int r = json_parse_bytes(text, size, &limits, &json, err);

	if (r)
		return r;
	r = check_version(json, err);
	if (r)
		json_decref(json);
	else
		*ret_json = json;
	return r;
}

void message_wipe_text(json_t *text)
{
	/* jansson hands out its own bytes as const; they are ours to overwrite, and nobody reads them again. */
	if (json_is_string(text))
		mem_wipe((void *)(uintptr_t)json_string_value(text), json_string_length(text));
}

void epoch_put(json_t *to, const char *name, const struct epoch *epoch)
{
	char text[EPOCH_TEXT_MAX];

	jput_text(to, name, epoch_format(epoch, text));
}

int epoch_get(const struct jnode *from, const char *name, struct epoch *ret_epoch, struct err *err)
{
	char text[EPOCH_TEXT_MAX];
	struct jnode member;
	int r = jnode_text(from, name, JSON_REQUIRED, text, sizeof(text), err);

	if (r)
		return r;
	(void)jnode_find(from, name, &member);
	if (epoch_parse(text, ret_epoch, NULL))
		return jnode_fail(&member, err, -EINVAL, "expected an epoch (TERM.N or TERM.N.MINOR)");
	return 0;
}

void name_put_if_set(json_t *to, const char *name, const char *value)
{
	if (value[0])
		jput_text(to, name, value);
}

void sessions_put(json_t *to, const char *name, const struct session *sessions, size_t count)
{
	json_t *array = jput_array(to, name);

	for (size_t i = 0; i < count; i++) {
		json_t *item = jput_object(array, NULL);
		struct endpoint endpoint = sessions[i].endpoint;

		endpoint.scope = 0; /* an interface of the sender: another host's is another one */
		jput_text(item, "tunnel", sessions[i].tunnel);
		jput_key(item, "public_key", &sessions[i].public_key);
		jput_endpoint(item, "endpoint", &endpoint);
		jput_u64(item, "age_ms", sessions[i].age_ms);
		if (sessions[i].rx_bytes)
			jput_u64(item, "rx_bytes", sessions[i].rx_bytes);
		if (sessions[i].tx_bytes)
			jput_u64(item, "tx_bytes", sessions[i].tx_bytes);
	}
}

static int session_get(const struct jnode *from, struct session *session, struct err *err)
{
	uint64_t age_ms;
	int r;

	if ((r = jnode_name(from, "tunnel", JSON_REQUIRED, session->tunnel, sizeof(session->tunnel), err)) ||
		(r = jnode_key(from, "public_key", JSON_REQUIRED, &session->public_key, err)) ||
		(r = jnode_endpoint(from, "endpoint", JSON_REQUIRED, &session->endpoint, err)) ||
		(r = jnode_u64(from, "age_ms", JSON_REQUIRED, 0, UINT32_MAX, &age_ms, err)) ||
		(r = jnode_u64(from, "rx_bytes", JSON_OPTIONAL, 0, INT64_MAX, &session->rx_bytes, err)) ||
		(r = jnode_u64(from, "tx_bytes", JSON_OPTIONAL, 0, INT64_MAX, &session->tx_bytes, err)))
		return r;
	session->age_ms = (uint32_t)age_ms;
	session->endpoint.scope = 0; /* as in sessions_put() */
	return 0;
}

int sessions_get(const struct jnode *from, const char *name, struct session **ret_sessions, size_t *ret_count,
	struct err *err)
{
	struct session *sessions = NULL;
	struct jnode array;
	size_t count;
	int r = jnode_array(from, name, JSON_REQUIRED, PROTO_SESSIONS_MAX, &array, err);

	if (r)
		return r;
	count = jnode_count(&array);
	if (count)
		sessions = mem_new(count, sizeof(*sessions));
	for (size_t i = 0; !r && i < count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = session_get(&item, &sessions[i], err);
	}
	if (r) {
		free(sessions);
		return r;
	}
	*ret_sessions = sessions;
	*ret_count = count;
	return 0;
}

void seat_put(json_t *to, const char *name, const struct seat_state *seat)
{
	json_t *object = jput_object(to, name);

	jput_text(object, "endpoint", seat->endpoint);
	jput_text(object, "role", seat_role_name(seat->role));
	epoch_put(object, "epoch", &seat->epoch);
	epoch_put(object, "highest", &seat->highest);
	jput_u64(object, "permit_left_ms", seat->permit_left_ms);
	epoch_put(object, "released", &seat->released);
}

static int role_get(const struct jnode *from, enum seat_role *ret_role, struct err *err)
{
	static const char *const words[] = {
		"standby", "serving", "fenced", "hosting", "relaying", "guest", "pulled"};
	unsigned index;
	int r = jnode_word(from, "role", JSON_REQUIRED, words, ARRAY_COUNT(words), &index, err);

	return r ? r : seat_role_parse(words[index], ret_role);
}

int seat_get(const struct jnode *from, struct seat_state *ret_seat, struct err *err)
{
	struct seat_state seat = {0};
	uint64_t permit_left_ms;
	int r;

	if ((r = jnode_name(from, "endpoint", JSON_REQUIRED, seat.endpoint, sizeof(seat.endpoint), err)) ||
		(r = role_get(from, &seat.role, err)) || (r = epoch_get(from, "epoch", &seat.epoch, err)) ||
		(r = epoch_get(from, "highest", &seat.highest, err)) ||
		(r = jnode_u64(from, "permit_left_ms", JSON_REQUIRED, 0, UINT32_MAX, &permit_left_ms, err)) ||
		(r = epoch_get(from, "released", &seat.released, err)))
		return r;
	seat.permit_left_ms = (uint32_t)permit_left_ms;
	*ret_seat = seat;
	return 0;
}
