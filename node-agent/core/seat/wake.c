/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/wake.h"

#include <stdlib.h>
#include <string.h>

#include "node-agent/core/seat/peer_key.h"
#include "node-agent/core/seat/sessions.h"

enum waiting {
	WAITING = 0, /* for its first poke */
	POKED = 1,
	BACK = 2,
	GIVEN_UP = 3,
	REMOVED = 4,
};

struct sleeper {
	struct peer_key key;
	struct wake_peer peer;
	enum waiting state;
	unsigned tries;
	int64_t first_ms, poked_ms; /* POKED: the first and the last try */
	int64_t wait_ms;            /* POKED: for the last try, at least */
	bool told;       /* POKED: the device has been, at poked_ms; else that is when it was to be */
	bool silent;     /* POKED: a look since then found it so. Good for one step */
	bool to_restore; /* its keepalive is not what is configured */
	UT_hash_handle hh;
};

struct wake {
	struct sleeper *table; /* in order of activity once sorted */
	bool sorted;
	int64_t started_ms, first_ms, last_ms;
	int64_t back_ms; /* when the last one was seen back that was poked */
	int64_t return_ms; /* what others take from their last try to being seen back, smoothed; 0: nobody is back */
	int64_t blocked_until_ms; /* as many are in flight as may be, until the oldest of them counts no more */
	uint64_t random;
	uint32_t sessions, back, given_up;
};

struct wake *wake_new(int64_t now_ms, uint64_t seed)
{
	struct wake *wake = mem_new(1, sizeof(*wake));

	wake->started_ms = now_ms;
	wake->first_ms = -1;
	wake->back_ms = now_ms;
	wake->random = seed | 1;
	return wake;
}

void wake_free(struct wake *wake)
{
	struct sleeper *sleeper, *next;

	if (wake == NULL)
		return;
	HASH_ITER (hh, wake->table, sleeper, next) {
		HASH_DEL(wake->table, sleeper);
		free(sleeper);
	}
	free(wake);
}

static struct sleeper *find(const struct wake *wake, const char *tunnel, const struct key *public_key)
{
	struct peer_key key = peer_key_of(tunnel, public_key);
	struct sleeper *sleeper;

	HASH_FIND(hh, wake->table, &key, sizeof(key), sleeper);
	return sleeper;
}

bool wake_add(struct wake *wake, const struct wake_peer *peer)
{
	struct sleeper *sleeper;

	if (!addr_is_set(&peer->endpoint.addr) || wake->started_ms - peer->handshake_ms >= SESSION_LIFE_MS)
		return false;
	if (find(wake, peer->tunnel, &peer->public_key) != NULL || wake->sessions >= PROTO_SESSIONS_MAX)
		return false;
	sleeper = mem_new(1, sizeof(*sleeper));
	sleeper->key = peer_key_of(peer->tunnel, &peer->public_key);
	sleeper->peer = *peer;
	HASH_ADD(hh, wake->table, key, sizeof(sleeper->key), sleeper);
	wake->sessions++;
	wake->sorted = false;
	return true;
}

static int by_activity(const struct sleeper *a, const struct sleeper *b)
{
	return (a->peer.active_ms < b->peer.active_ms) - (a->peer.active_ms > b->peer.active_ms);
}

/* xorshift64: spreads retries, hides nothing. */
static int64_t jitter(struct wake *wake, int64_t range_ms)
{
	wake->random ^= wake->random << 13;
	wake->random ^= wake->random >> 7;
	wake->random ^= wake->random << 17;
	return (int64_t)(wake->random % (uint64_t)(range_ms + 1));
}

static void append(struct wake_actions *actions, enum wake_action_kind kind, const struct sleeper *sleeper,
	uint16_t keepalive_s)
{
	actions->items[actions->count++] = (struct wake_action){kind, &sleeper->peer, keepalive_s};
}

static bool is_full(const struct wake_actions *actions)
{
	return actions->count == WAKE_ACTIONS_MAX;
}

static uint16_t poke_keepalive(const struct sleeper *sleeper)
{
	return sleeper->peer.keepalive_s != 0 ? sleeper->peer.keepalive_s : WAKE_KEEPALIVE_S;
}

static int64_t wait_ms_after(unsigned tries)
{
	int64_t wait_ms = WAKE_RECREATE_MS;

	return tries <= WAKE_QUICK_TRIES ? wait_ms : wait_ms << (tries - WAKE_QUICK_TRIES);
}

static void poke(struct wake *wake, struct sleeper *sleeper, int64_t now_ms, struct wake_actions *actions)
{
	append(actions, sleeper->tries == 0 ? WAKE_POKE : WAKE_RECREATE, sleeper, poke_keepalive(sleeper));
	sleeper->first_ms = sleeper->tries == 0 ? now_ms : sleeper->first_ms;
	sleeper->state = POKED;
	sleeper->tries++;
	sleeper->poked_ms = now_ms;
	sleeper->told = false;
	sleeper->silent = false;
	sleeper->wait_ms = wait_ms_after(sleeper->tries) + jitter(wake, WAKE_JITTER_MS);
	sleeper->to_restore = sleeper->peer.keepalive_s == 0;
}

static bool is_waiting(const struct sleeper *sleeper)
{
	return sleeper->state == WAITING || sleeper->state == POKED;
}

/* What completed since the last look would be killed by another try. */
static bool is_seen_silent(const struct sleeper *sleeper)
{
	return sleeper->state == POKED && sleeper->silent;
}

static int64_t give_up_ms(const struct sleeper *sleeper)
{
	return sleeper->first_ms + WAKE_GIVE_UP_MS;
}

static void give_up(struct wake *wake, int64_t now_ms)
{
	for (struct sleeper *s = wake->table; s != NULL; s = s->hh.next) {
		bool spent = s->tries >= WAKE_TRIES_MAX && is_seen_silent(s);
		if (s->state != POKED || (!spent && now_ms < give_up_ms(s)))
			continue;
		s->state = GIVEN_UP;
		wake->given_up++;
		wake->last_ms = now_ms;
	}
}

static void restore(struct wake *wake, struct wake_actions *actions)
{
	for (struct sleeper *s = wake->table; s != NULL && !is_full(actions); s = s->hh.next) {
		if (!s->to_restore || (s->state != BACK && s->state != GIVEN_UP))
			continue;
		s->to_restore = false;
		append(actions, WAKE_RESTORE, s, s->peer.keepalive_s);
	}
}

static bool is_in_flight(const struct sleeper *sleeper, int64_t now_ms)
{
	return sleeper->state == POKED && now_ms - sleeper->poked_ms < WAKE_IN_FLIGHT_MS;
}

static size_t count_in_flight(struct wake *wake, int64_t now_ms)
{
	int64_t oldest_ms = now_ms;
	size_t count = 0;

	for (const struct sleeper *s = wake->table; s != NULL; s = s->hh.next) {
		if (!is_in_flight(s, now_ms))
			continue;
		count++;
		oldest_ms = s->poked_ms < oldest_ms ? s->poked_ms : oldest_ms;
	}
	wake->blocked_until_ms =
		count < WAKE_OUTSTANDING_MAX ? wake->started_ms : oldest_ms + WAKE_IN_FLIGHT_MS;
	return count;
}

/* Who was silent then and had no turn may have come back by the time that it has one. */
static void forget_looks(struct wake *wake)
{
	for (struct sleeper *s = wake->table; s != NULL; s = s->hh.next)
		s->silent = false;
}

/* First pokes before retries: who has not answered one may be gone. */
static void poke_all(struct wake *wake, int64_t now_ms, struct wake_actions *actions)
{
	size_t in_flight = count_in_flight(wake, now_ms);

	for (int round = 0; round < 2; round++)
		for (struct sleeper *s = wake->table; s != NULL; s = s->hh.next) {
			bool due = round == 0 ? s->state == WAITING : is_seen_silent(s);
			if (!due)
				continue;
			if (is_full(actions) || in_flight >= WAKE_OUTSTANDING_MAX)
				return;
			poke(wake, s, now_ms, actions);
			in_flight++;
		}
}

void wake_step(struct wake *wake, int64_t now_ms, struct wake_actions *ret_actions)
{
	ret_actions->count = 0;
	if (!wake->sorted)
		HASH_SORT(wake->table, by_activity);
	wake->sorted = true;
	give_up(wake, now_ms);
	restore(wake, ret_actions);
	poke_all(wake, now_ms, ret_actions);
	if (!is_full(ret_actions))
		forget_looks(wake);
}

bool wake_action_stands(const struct wake *wake, const struct wake_action *action)
{
	const struct sleeper *sleeper = find(wake, action->peer->tunnel, &action->peer->public_key);

	return action->kind != WAKE_RECREATE || (sleeper != NULL && sleeper->state == POKED);
}

static void note_try(struct sleeper *sleeper, int64_t now_ms)
{
	sleeper->first_ms = sleeper->tries == 1 ? now_ms : sleeper->first_ms;
	sleeper->poked_ms = now_ms;
	sleeper->silent = false;
}

void wake_told(struct wake *wake, const struct wake_action *action, bool answered, int64_t now_ms)
{
	struct sleeper *sleeper = find(wake, action->peer->tunnel, &action->peer->public_key);

	if (sleeper == NULL || sleeper->state != POKED || action->kind == WAKE_RESTORE)
		return;
	sleeper->told = answered;
	note_try(sleeper, now_ms);
}

void wake_answers(struct wake *wake, const char *tunnel, int64_t now_ms)
{
	for (struct sleeper *s = wake->table; s != NULL; s = s->hh.next) {
		if (s->state != POKED || s->told || strcmp(s->peer.tunnel, tunnel) != 0)
			continue;
		s->told = true;
		note_try(s, now_ms);
	}
}

/* Weighed as TCP weighs round trips (RFC 6298). A re-creation killed what earlier tries had begun: it is the last one that
 * was answered. */
static void note_return(struct wake *wake, int64_t took_ms, int64_t now_ms)
{
	wake->return_ms += wake->return_ms == 0 ? took_ms : (took_ms - wake->return_ms) / 8;
	wake->back_ms = now_ms;
}

/* Loss takes a few, want of processors takes most. */
static bool most_are_silent(const struct wake *wake)
{
	size_t silent = 0;

	for (const struct sleeper *s = wake->table; s != NULL; s = s->hh.next)
		silent += s->state == POKED;
	return silent > WAKE_FEW && silent > wake->back / 2;
}

/* While others come in, a quarter more than they take: where they queue, each takes a little longer than the one before. */
static bool is_due(const struct wake *wake, const struct sleeper *sleeper, bool most_silent, int64_t at_ms)
{
	int64_t waited_ms = at_ms - sleeper->poked_ms;

	if (!sleeper->told)
		return false;
	if (waited_ms < sleeper->wait_ms)
		return false;
	if (most_silent && waited_ms < (int64_t)WAKE_IN_FLIGHT_MS << (sleeper->tries - 1))
		return false;
	return at_ms - wake->back_ms >= WAKE_COMING_MS || waited_ms >= wake->return_ms * 5 / 4;
}

bool wake_handshake(struct wake *wake, const char *tunnel, const struct key *public_key, uint64_t stamp_ns,
	int64_t now_ms)
{
	struct sleeper *sleeper = find(wake, tunnel, public_key);

	if (sleeper == NULL || !is_waiting(sleeper) || stamp_ns == 0 || stamp_ns == sleeper->peer.stamp_ns)
		return false;
	if (sleeper->state == POKED && sleeper->told)
		note_return(wake, now_ms - sleeper->poked_ms, now_ms);
	sleeper->state = BACK;
	wake->blocked_until_ms = wake->started_ms;
	wake->back++;
	wake->last_ms = now_ms;
	if (wake->first_ms < 0)
		wake->first_ms = now_ms - wake->started_ms;
	return true;
}

void wake_looked(struct wake *wake, const char *tunnel, int64_t began_ms)
{
	bool most_silent = most_are_silent(wake);

	for (struct sleeper *s = wake->table; s != NULL; s = s->hh.next)
		if (s->state == POKED && is_due(wake, s, most_silent, began_ms) &&
			strcmp(s->peer.tunnel, tunnel) == 0)
			s->silent = true;
}

void wake_remove(struct wake *wake, const char *tunnel, const struct key *public_key)
{
	struct sleeper *sleeper = find(wake, tunnel, public_key);

	if (sleeper == NULL || sleeper->state == REMOVED)
		return;
	if (is_waiting(sleeper))
		wake->sessions--;
	sleeper->state = REMOVED;
	wake->blocked_until_ms = wake->started_ms;
	sleeper->to_restore = false;
}

static bool is_over(const struct wake *wake)
{
	return wake->back + wake->given_up == wake->sessions;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t wake_deadline(const struct wake *wake)
{
	int64_t free_ms = wake->blocked_until_ms, deadline_ms = INT64_MAX;

	for (const struct sleeper *s = wake->table; s != NULL; s = s->hh.next) {
		if (s->to_restore && (s->state == BACK || s->state == GIVEN_UP))
			return wake->started_ms;
		if (s->state == WAITING)
			deadline_ms = sooner(deadline_ms, free_ms);
		if (s->state == POKED)
			deadline_ms = sooner(deadline_ms, give_up_ms(s));
		if (is_seen_silent(s))
			return wake->started_ms;
	}
	return deadline_ms;
}

struct wake_result wake_result(const struct wake *wake, int64_t now_ms)
{
	struct wake_result result = {
		.sessions = wake->sessions,
		.back = wake->back,
		.given_up = wake->given_up,
		.first_ms = wake->first_ms,
		.over = is_over(wake),
	};
	int64_t until_ms = result.over ? wake->last_ms : now_ms;

	result.took_ms = until_ms > wake->started_ms ? until_ms - wake->started_ms : 0;
	return result;
}
