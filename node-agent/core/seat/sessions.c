/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/sessions.h"

#include <stdlib.h>
#include <utlist.h>

#include "node-agent/core/seat/peer_key.h"

struct node {
	struct peer_key key;
	struct sessions_entry entry;
	uint64_t stamp_ns;
	UT_hash_handle hh;
	struct node *newer, *older; /* by change */
	struct node *prev, *next;   /* by handshake, oldest first */
};

struct sessions {
	struct node *table;
	struct node *by_change;
	struct node *by_age;
	uint64_t changed;
};

struct sessions *sessions_new(void)
{
	return mem_new(1, sizeof(struct sessions));
}

static void forget(struct sessions *sessions, struct node *node)
{
	HASH_DEL(sessions->table, node);
	DL_DELETE2(sessions->by_change, node, newer, older);
	DL_DELETE(sessions->by_age, node);
	free(node);
}

void sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	while (sessions->by_age != NULL)
		forget(sessions, sessions->by_age);
	free(sessions);
}

static struct node *find(const struct sessions *sessions, const char *tunnel, const struct key *public_key)
{
	struct peer_key key = peer_key_of(tunnel, public_key);
	struct node *node;

	HASH_FIND(hh, sessions->table, &key, sizeof(key), node);
	return node;
}

/* Handshakes come in about the order of time: the place is near the end. */
static void sort_in(struct sessions *sessions, struct node *node)
{
	struct node *after = sessions->by_age != NULL ? sessions->by_age->prev : NULL;

	while (after != NULL && after->entry.handshake_ms > node->entry.handshake_ms)
		after = after == sessions->by_age ? NULL : after->prev;
	if (after != NULL)
		DL_APPEND_ELEM(sessions->by_age, after, node);
	else
		DL_PREPEND(sessions->by_age, node);
}

static void note_change(struct sessions *sessions, struct node *node)
{
	node->entry.changed = ++sessions->changed;
	DL_PREPEND2(sessions->by_change, node, newer, older);
}

static struct node *add(struct sessions *sessions, const char *tunnel, const struct key *public_key,
	const struct endpoint *endpoint, int64_t handshake_ms)
{
	struct node *node;

	if (HASH_COUNT(sessions->table) >= PROTO_SESSIONS_MAX)
		return NULL;
	node = mem_new(1, sizeof(*node));
	node->key = peer_key_of(tunnel, public_key);
	node->entry = (struct sessions_entry){
		.public_key = *public_key,
		.endpoint = *endpoint,
		.handshake_ms = handshake_ms,
		.active_ms = handshake_ms,
	};
	text_copy(node->entry.tunnel, sizeof(node->entry.tunnel), tunnel);
	HASH_ADD(hh, sessions->table, key, sizeof(node->key), node);
	sort_in(sessions, node);
	note_change(sessions, node);
	return node;
}

/* True if that is news. */
static bool update(
	struct sessions *sessions, struct node *node, const struct endpoint *endpoint, int64_t handshake_ms)
{
	bool moved = !endpoint_equal(&node->entry.endpoint, endpoint);

	if (!moved && handshake_ms <= node->entry.handshake_ms)
		return false;
	node->entry.endpoint = *endpoint;
	if (handshake_ms > node->entry.handshake_ms) {
		DL_DELETE(sessions->by_age, node);
		node->entry.handshake_ms = handshake_ms;
		sort_in(sessions, node);
	}
	if (handshake_ms > node->entry.active_ms)
		node->entry.active_ms = handshake_ms;
	DL_DELETE2(sessions->by_change, node, newer, older);
	note_change(sessions, node);
	return true;
}

static bool poll_known(struct sessions *sessions, struct node *node, const struct endpoint *endpoint,
	uint64_t stamp_ns, uint64_t rx_bytes, uint64_t tx_bytes, int64_t now_ms)
{
	bool handshake = stamp_ns != node->stamp_ns;

	if (rx_bytes != node->entry.rx_bytes || tx_bytes != node->entry.tx_bytes)
		node->entry.active_ms = now_ms;
	node->entry.rx_bytes = rx_bytes;
	node->entry.tx_bytes = tx_bytes;
	node->stamp_ns = stamp_ns;
	return update(sessions, node, endpoint, handshake ? now_ms : node->entry.handshake_ms);
}

bool sessions_poll(struct sessions *sessions, const char *tunnel, const struct key *public_key,
	const struct endpoint *endpoint, uint64_t stamp_ns, int64_t wall_age_ms, uint64_t rx_bytes,
	uint64_t tx_bytes, int64_t now_ms)
{
	struct node *node = find(sessions, tunnel, public_key);

	if (stamp_ns == 0 || !addr_is_set(&endpoint->addr))
		return false;
	if (node != NULL)
		return poll_known(sessions, node, endpoint, stamp_ns, rx_bytes, tx_bytes, now_ms);
	if (wall_age_ms >= SESSION_LIFE_MS)
		return false;
	node = add(sessions, tunnel, public_key, endpoint, now_ms - (wall_age_ms > 0 ? wall_age_ms : 0));
	if (node == NULL)
		return false;
	node->stamp_ns = stamp_ns;
	node->entry.rx_bytes = rx_bytes;
	node->entry.tx_bytes = tx_bytes;
	return true;
}

bool sessions_learn(struct sessions *sessions, const struct session *session, int64_t now_ms)
{
	struct node *node = find(sessions, session->tunnel, &session->public_key);
	int64_t handshake_ms = now_ms - session->age_ms;

	if (session->age_ms >= SESSION_LIFE_MS || !addr_is_set(&session->endpoint.addr))
		return false;
	if (node == NULL)
		return add(sessions, session->tunnel, &session->public_key, &session->endpoint,
			       handshake_ms) != NULL;
	if (handshake_ms < node->entry.handshake_ms)
		return false;
	return update(sessions, node, &session->endpoint, handshake_ms);
}

void sessions_remove(struct sessions *sessions, const char *tunnel, const struct key *public_key)
{
	struct node *node = find(sessions, tunnel, public_key);

	if (node != NULL)
		forget(sessions, node);
}

size_t sessions_expire(struct sessions *sessions, int64_t now_ms)
{
	size_t expired = 0;

	while (sessions->by_age != NULL && now_ms - sessions->by_age->entry.handshake_ms >= SESSION_LIFE_MS) {
		forget(sessions, sessions->by_age);
		expired++;
	}
	return expired;
}

const struct sessions_entry *sessions_find(
	const struct sessions *sessions, const char *tunnel, const struct key *public_key)
{
	const struct node *node = find(sessions, tunnel, public_key);

	return node != NULL ? &node->entry : NULL;
}

size_t sessions_count(const struct sessions *sessions)
{
	return HASH_COUNT(sessions->table);
}

uint64_t sessions_changed(const struct sessions *sessions)
{
	return sessions->changed;
}

void sessions_each_since(const struct sessions *sessions, uint64_t since,
	void (*each)(void *context, const struct sessions_entry *entry), void *context)
{
	const struct node *node;

	for (node = sessions->by_change; node != NULL && node->entry.changed > since; node = node->older)
		each(context, &node->entry);
}
