/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "common/cluster/lease.h"
#include "controller/core/ownership/internal.h"

static void confirm(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	char text[EPOCH_TEXT_MAX];

	ownership->owner = ownership->target;
	change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
	change_event(actions, OWNERSHIP_INFO, "%s is served by %s under %s", ownership->config.name,
		ownership_owner(ownership)->name, epoch_format(&ownership->epoch, text));
}

/* It will not confirm: it is down, has refused, has fenced itself under this very epoch, or knows of a higher one. */
static bool has_failed(const struct ownership *ownership, const struct ownership_member *target)
{
	if (member_is_down(target))
		return true;
	if (!target->spoken)
		return false;
	if (target->seat.role == SEAT_FENCED && epoch_compare(&target->seat.epoch, &ownership->epoch) == 0)
		return true;
	if (epoch_compare(&target->seat.released, &ownership->epoch) >= 0) /* `fence`: refused aloud */
		return true;
	return epoch_compare(&target->seat.highest, &ownership->epoch) > 0;
}

/* `fence`: it asks, and has leave. A promise that it gave, or a restart, may bind it for a lease; and to pass it over
 * takes that long, too. */
static bool is_about_to_take(const struct ownership *ownership, size_t next, int64_t now_ms)
{
	int64_t patience_ms = OWNERSHIP_EXTRA_MS + lease_outlast_ms(ownership->config.lease_ms);

	return grant_is_out(ownership) &&
	       (next == OWNERSHIP_NOBODY || now_ms < ownership->ordered_ms + patience_ms);
}

/* The target's time is over. Nobody is better than one who is late, so it gets more time before it is asked again
 * under a new epoch. */
static void pass_over(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	size_t target = ownership->target;
	size_t next = ownership_pick(ownership, target, now_ms);
	char cause[PROTO_NAME_MAX + 1];

	text_copy(cause, sizeof(cause), ownership->cause);
	if (is_about_to_take(ownership, next, now_ms)) {
		ownership->deadline_ms = now_ms + OWNERSHIP_CONFIRM_MS;
		return;
	}
	if (next != OWNERSHIP_NOBODY) {
		ownership->withheld = true;
		ownership->members[target].passed_until_ms = now_ms + OWNERSHIP_PASSED_MS;
		change_event(actions, OWNERSHIP_WARNING, "%s did not confirm: passed over",
			ownership->members[target].name);
		change_take(ownership, next, cause, now_ms, actions);
	} else if (!ownership->extended && ownership_can_take(ownership, target, now_ms, NULL)) {
		ownership->extended = true;
		ownership->deadline_ms = now_ms + OWNERSHIP_EXTRA_MS;
	} else {
		change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
	}
}

void taking_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *target = &ownership->members[ownership->target];
	char cause[PROTO_NAME_MAX + 1];

	if (member_serves_under(target, &ownership->epoch)) {
		confirm(ownership, now_ms, actions);
	} else if (has_failed(ownership, target)) {
		text_copy(cause, sizeof(cause), ownership->cause);
		change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
	} else if (now_ms >= ownership->deadline_ms) {
		pass_over(ownership, now_ms, actions);
	}
}
