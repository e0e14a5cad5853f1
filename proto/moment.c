/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/moment.h"

#include <string.h>

#include "common/base/mem.h"
#include "proto/message.h"

static const char *const kinds[MOMENT_KINDS] = {[MOMENT_SUSPECTED] = "suspected",
	[MOMENT_VERDICT] = "verdict",
	[MOMENT_VOTE] = "vote",
	[MOMENT_DECIDED] = "decided",
	[MOMENT_ORDERED] = "ordered",
	[MOMENT_ROLE] = "role",
	[MOMENT_PERMIT] = "permit",
	[MOMENT_ADDRESS] = "address",
	[MOMENT_ANNOUNCED] = "announced",
	[MOMENT_BACK] = "back",
	[MOMENT_OVER] = "over"};

const char *moment_kind_name(enum moment_kind kind)
{
	return kinds[kind];
}

void moment_put(json_t *to, const char *name, const struct moment *moment)
{
	json_t *object = jput_object(to, name);

	jput_u64(object, "seq", moment->seq);
	jput_i64(object, "at_us", moment->at_us);
	jput_text(object, "kind", kinds[moment->kind]);
	name_put_if_set(object, "endpoint", moment->endpoint);
	if (!epoch_is_zero(&moment->epoch))
		epoch_put(object, "epoch", &moment->epoch);
	name_put_if_set(object, "subject", moment->subject);
	if (moment->detail[0])
		jput_text(object, "detail", moment->detail);
}

static bool find_kind(const char *name, enum moment_kind *ret_kind)
{
	for (size_t i = 0; i < MOMENT_KINDS; i++)
		if (!strcmp(kinds[i], name)) {
			*ret_kind = (enum moment_kind)i;
			return true;
		}
	return false;
}

static int get_epoch(const struct jnode *from, struct epoch *epoch, struct err *err)
{
	return jnode_find(from, "epoch", NULL) ? epoch_get(from, "epoch", epoch, err) : 0;
}

int moment_get(const struct jnode *from, struct moment *ret_moment, bool *ret_known, struct err *err)
{
	struct moment moment = {0};
	char kind[PROTO_NAME_MAX + 1];
	int r;

	if ((r = jnode_u64(from, "seq", JSON_REQUIRED, 1, INT64_MAX, &moment.seq, err)) ||
		(r = jnode_i64(from, "at_us", JSON_REQUIRED, 0, MOMENT_AT_US_MAX, &moment.at_us, err)) ||
		(r = jnode_name(from, "kind", JSON_REQUIRED, kind, sizeof(kind), err)) ||
		(r = jnode_name(
			 from, "endpoint", JSON_OPTIONAL, moment.endpoint, sizeof(moment.endpoint), err)) ||
		(r = get_epoch(from, &moment.epoch, err)) ||
		(r = jnode_name(
			 from, "subject", JSON_OPTIONAL, moment.subject, sizeof(moment.subject), err)) ||
		(r = jnode_text(from, "detail", JSON_OPTIONAL, moment.detail, sizeof(moment.detail), err)))
		return r;
	*ret_known = find_kind(kind, &moment.kind);
	*ret_moment = moment;
	return 0;
}
