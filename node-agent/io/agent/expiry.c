/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/stage/stage.h"

/* When it is time for some peer, the generation held is made again without it: nobody has to tell. See core/expiry. */

enum { NOTES_MAX = 20, SECOND_MS = 1000 };

static int64_t wall_s(void)
{
	return clock_wall_ms() / SECOND_MS;
}

void generation_expire(struct generation *generation)
{
	int64_t now_s = wall_s();

	generation->expiry = expiry_of(generation->desired, now_s);
	if (generation->expiry.last_s == INT64_MIN)
		return;
	generation->whole = generation->desired;
	generation->whole_keys = generation->preshared_keys;
	generation->desired =
		expiry_apply(generation->whole, generation->whole_keys, now_s, &generation->preshared_keys);
}

/* Those that one has and the other lacks: both are sorted. */
static void tell(struct agent *agent, const struct desired *has, const struct desired *lacks,
	const char *kind, const char *what)
{
	size_t count = 0;
	char until[DATE_TEXT_MAX];

	for (size_t i = 0, j = 0; i < has->peer_count; i++) {
		const struct desired_peer *peer = &has->peers[i];

		while (j < lacks->peer_count && desired_peer_compare(&lacks->peers[j], peer) < 0)
			j++;
		if (j < lacks->peer_count && !desired_peer_compare(&lacks->peers[j], peer))
			continue;
		if (++count <= NOTES_MAX)
			journal_add(&agent->journal, kind, NULL, "peer %s of %s, which expires at %s, %s",
				peer->name, peer->tunnel, date_format(peer->expires_s, until), what);
	}
	if (count > NOTES_MAX)
		journal_add(&agent->journal, kind, NULL, "and %zu more", count - NOTES_MAX);
}

static struct key *copy_keys(const struct key *keys, size_t count)
{
	struct key *copy = NULL;

	if (keys) {
		copy = mem_new(count, sizeof(*copy));
		memcpy(copy, keys, count * sizeof(*copy));
	}
	return copy;
}

void agent_expiry_second(struct agent *agent)
{
	const struct generation *held = &agent->held;
	const struct desired *whole = held->whole ? held->whole : held->desired;
	const struct key *keys = held->whole ? held->whole_keys : held->preshared_keys;
	struct generation next;
	struct err err = {0};

	if (!held->desired || !expiry_is_due(&held->expiry, wall_s()))
		return;
	if (generation_make_again(
		    desired_copy(whole), copy_keys(keys, whole->peer_count), held->hash, &next, &err) < 0) {
		/* Tried again each second. */
		log_limited(LEVEL_ERROR, "agent", "expiry", "", log_err(&err));
		return;
	}
	tell(agent, held->desired, next.desired, "expired", "is removed");
	tell(agent, next.desired, held->desired, "not-expired", "is back: the clock was set back");
	generation_hold(agent, &next);
}
