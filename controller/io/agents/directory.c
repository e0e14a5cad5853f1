/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/agents/directory.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/base/mem.h"
#include "common/base/text.h"

enum {
	/* The age of a session told twice differs by what the message took; only more than this is a new handshake. */
	AGE_NOISE_MS = 1000,
};

struct session_id {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
};

/* Who told: one for each name, since there are many sessions and few gateways. */
struct teller {
	char gateway[PROTO_NAME_MAX + 1];
	UT_hash_handle hh;
};

struct entry {
	struct session_id id;
	const struct teller *teller;
	uint64_t rx_bytes, tx_bytes;
	int64_t told_ms; /* our clock */
	struct endpoint endpoint;
	int64_t handshake_ms; /* our clock */
	uint64_t version;     /* of its last change */
	uint64_t round;       /* when it was last put, changed or not */
	UT_hash_handle hh;
};

struct directory {
	struct entry *entries;
	struct teller *tellers;
	uint64_t version, round;
};

struct directory *directory_new(void)
{
	return mem_new(1, sizeof(struct directory));
}

static void drop(struct directory *directory, struct entry *entry)
{
	HASH_DEL(directory->entries, entry);
	free(entry);
}

void directory_free(struct directory *directory)
{
	struct entry *entry, *next;
	struct teller *teller, *following;
	if (!directory)
		return;
	HASH_ITER (hh, directory->entries, entry, next)
		drop(directory, entry);
	HASH_ITER (hh, directory->tellers, teller, following) {
		HASH_DEL(directory->tellers, teller);
		free(teller);
	}
	free(directory);
}

static struct session_id id_of(const char *tunnel, const struct key *public_key)
{
	struct session_id id = {.public_key = *public_key};
	text_copy(id.tunnel, sizeof id.tunnel, tunnel);
	return id;
}

static const struct teller *teller_of(struct directory *directory, const char *gateway)
{
	struct teller *teller;
	HASH_FIND_STR(directory->tellers, gateway, teller);
	if (teller)
		return teller;
	teller = mem_new(1, sizeof *teller);
	text_copy(teller->gateway, sizeof teller->gateway, gateway);
	HASH_ADD_STR(directory->tellers, gateway, teller);
	return teller;
}

static struct entry *find_or_add(struct directory *directory, const struct session *session)
{
	struct session_id id = id_of(session->tunnel, &session->public_key);
	struct entry *entry;
	HASH_FIND(hh, directory->entries, &id, sizeof id, entry);
	if (entry || HASH_COUNT(directory->entries) >= PROTO_SESSIONS_MAX)
		return entry;
	entry = mem_new(1, sizeof *entry);
	entry->id = id;
	HASH_ADD(hh, directory->entries, id, sizeof entry->id, entry);
	return entry;
}

bool directory_put(
	struct directory *directory, const char *gateway, const struct session *session, int64_t now_ms)
{
	int64_t handshake_ms = now_ms - session->age_ms;
	struct entry *entry = find_or_add(directory, session);
	if (!entry)
		return false;
	const struct teller *teller = teller_of(directory, gateway);
	bool same_teller = entry->teller == teller; /* the one who told before it has been told nothing yet */
	entry->round = directory->round;
	entry->teller = teller;
	entry->told_ms = now_ms;
	entry->rx_bytes = session->rx_bytes;
	entry->tx_bytes = session->tx_bytes;
	if (same_teller && endpoint_equal(&entry->endpoint, &session->endpoint) &&
		llabs(handshake_ms - entry->handshake_ms) <= AGE_NOISE_MS)
		return false;
	entry->endpoint = session->endpoint;
	entry->handshake_ms = handshake_ms;
	entry->version = ++directory->version;
	return true;
}

void directory_begin_whole(struct directory *directory)
{
	directory->round++;
}

void directory_end_whole(struct directory *directory, const char *tunnel)
{
	struct entry *entry, *next;
	HASH_ITER (hh, directory->entries, entry, next)
		if (entry->round != directory->round && strcmp(entry->id.tunnel, tunnel) == 0)
			drop(directory, entry);
}

void directory_expire(struct directory *directory, int64_t now_ms)
{
	struct entry *entry, *next;
	HASH_ITER (hh, directory->entries, entry, next)
		if (now_ms - entry->handshake_ms > SESSION_LIVE_MS)
			drop(directory, entry);
}

uint64_t directory_version(const struct directory *directory)
{
	return directory->version;
}

size_t directory_count(const struct directory *directory, const char *tunnel, int64_t now_ms)
{
	size_t count = 0;
	for (const struct entry *entry = directory->entries; entry; entry = entry->hh.next)
		if (now_ms - entry->handshake_ms <= SESSION_LIVE_MS && strcmp(entry->id.tunnel, tunnel) == 0)
			count++;
	return count;
}

static struct session describe(const struct entry *entry, int64_t now_ms)
{
	struct session session = {.public_key = entry->id.public_key, .endpoint = entry->endpoint};
	int64_t age_ms = now_ms - entry->handshake_ms;
	text_copy(session.tunnel, sizeof session.tunnel, entry->id.tunnel);
	session.age_ms = age_ms < 0 ? 0 : (uint32_t)age_ms;
	return session;
}

bool directory_find(const struct directory *directory, const char *tunnel, const struct key *public_key,
	int64_t now_ms, struct directory_session *ret_session)
{
	struct session_id id = id_of(tunnel, public_key);
	struct entry *entry;
	HASH_FIND(hh, directory->entries, &id, sizeof id, entry);
	if (!entry || now_ms - entry->handshake_ms > SESSION_LIVE_MS)
		return false;
	*ret_session = (struct directory_session){.session = describe(entry, now_ms),
		.gateway = entry->teller->gateway,
		.told_ago_ms = now_ms - entry->told_ms};
	ret_session->session.rx_bytes = entry->rx_bytes;
	ret_session->session.tx_bytes = entry->tx_bytes;
	return true;
}

size_t directory_since(const struct directory *directory, uint64_t version, int64_t now_ms,
	bool (*wanted)(const char *tunnel, void *context), void *context, struct session **ret_items)
{
	struct session *items = NULL;
	size_t count = 0, capacity = 0;
	for (const struct entry *entry = directory->entries; entry; entry = entry->hh.next) {
		if (entry->version <= version || !wanted(entry->id.tunnel, context))
			continue;
		items = mem_grow(items, &capacity, count + 1, sizeof *items);
		items[count++] = describe(entry, now_ms);
	}
	*ret_items = items;
	return count;
}
