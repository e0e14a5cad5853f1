/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/standing.h"

#include <errno.h>
#include <string.h>

#include "proto/message.h"

void standing_put(json_t *to, const char *name, const struct standing *standing)
{
	json_t *object = jput_object(to, name), *array;

	jput_text(object, "endpoint", standing->endpoint);
	jput_bool(object, "ready", standing->ready);
	if (standing->proved_ago_ms != STANDING_NEVER)
		jput_u64(object, "proved_ago_ms", standing->proved_ago_ms);
	array = jput_array(object, "reasons");
	for (size_t i = 0; i < standing->reason_count; i++)
		jput_text(array, NULL, standing->reasons[i]);
	if (standing->alone[0])
		jput_text(object, "alone", standing->alone);
}

static int get_reasons(const struct jnode *from, struct standing *standing, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "reasons", JSON_REQUIRED, STANDING_REASONS_MAX, &array, err);

	if (r)
		return r;
	standing->reason_count = jnode_count(&array);
	for (size_t i = 0; !r && i < standing->reason_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_text(
			&item, NULL, JSON_REQUIRED, standing->reasons[i], sizeof(standing->reasons[i]), err);
	}
	return r;
}

int standing_get(const struct jnode *from, struct standing *ret_standing, struct err *err)
{
	struct standing standing = {0};
	uint64_t proved_ago_ms = STANDING_NEVER;
	int r;

	if ((r = jnode_name(
		     from, "endpoint", JSON_REQUIRED, standing.endpoint, sizeof(standing.endpoint), err)) ||
		(r = jnode_bool(from, "ready", JSON_REQUIRED, &standing.ready, err)) ||
		(r = jnode_u64(
			 from, "proved_ago_ms", JSON_OPTIONAL, 0, STANDING_NEVER - 1, &proved_ago_ms, err)) ||
		(r = get_reasons(from, &standing, err)) ||
		(r = jnode_text(from, "alone", JSON_OPTIONAL, standing.alone, sizeof(standing.alone), err)))
		return r;
	standing.proved_ago_ms = (uint32_t)proved_ago_ms;
	if (!standing.ready && !standing.reason_count)
		return jnode_fail(from, err, -EINVAL, "not ready, without a reason");
	*ret_standing = standing;
	return 0;
}
