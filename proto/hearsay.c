/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/hearsay.h"

#include <errno.h>
#include <string.h>

#include "proto/message.h"

/* Left out while there is none. */
void hearsays_put(json_t *to, const char *name, const struct hearsay *hearsays, size_t count)
{
	json_t *array = count ? jput_array(to, name) : NULL;

	for (size_t i = 0; i < count; i++) {
		json_t *object = jput_object(array, NULL);

		jput_text(object, "gateway", hearsays[i].gateway);
		seat_put(object, "seat", &hearsays[i].seat);
	}
}

static int hearsay_get(const struct jnode *from, struct hearsay *hearsay, struct err *err)
{
	struct jnode seat;
	int r;

	if ((r = jnode_name(
		     from, "gateway", JSON_REQUIRED, hearsay->gateway, sizeof(hearsay->gateway), err)) ||
		(r = jnode_object(from, "seat", JSON_REQUIRED, &seat, err)))
		return r;
	return seat_get(&seat, &hearsay->seat, err);
}

static bool is_new(const struct hearsay *hearsays, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(hearsays[i].seat.endpoint, hearsays[index].seat.endpoint))
			return false;
	return true;
}

int hearsays_get(const struct jnode *from, const char *name, struct hearsay hearsays[PROTO_ENDPOINTS_MAX],
	size_t *ret_count, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_OPTIONAL, PROTO_ENDPOINTS_MAX, &array, err);

	if (r || !array.json)
		return r;
	*ret_count = jnode_count(&array);
	for (size_t i = 0; !r && i < *ret_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = hearsay_get(&item, &hearsays[i], err);
		if (!r && !is_new(hearsays, i))
			r = jnode_fail(
				&item, err, -EINVAL, "endpoint %s is there twice", hearsays[i].seat.endpoint);
	}
	return r;
}
