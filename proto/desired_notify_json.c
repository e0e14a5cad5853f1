/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"

const char *const desired_state_names[STATES] = {
	[STATE_OWNER] = "owner", [STATE_STANDBY] = "standby", [STATE_UNFIT] = "unfit"};

/* Left out where there are none. */
void desired_notify_put(json_t *to, const struct desired_endpoint *endpoint)
{
	json_t *array = endpoint->notify_count ? jput_array(to, "notify") : NULL;

	for (size_t i = 0; i < endpoint->notify_count; i++) {
		json_t *object = jput_object(array, NULL);

		jput_text(object, "program", endpoint->notify[i].program);
		for (unsigned state = 0; state < STATES; state++)
			jput_bool(object, desired_state_names[state], endpoint->notify[i].when & 1u << state);
	}
}

static int get_notify(const struct jnode *from, struct desired_notify *notify, struct err *err)
{
	int r = jnode_text(from, "program", JSON_REQUIRED, notify->program, sizeof(notify->program), err);

	for (unsigned state = 0; !r && state < STATES; state++) {
		bool told;

		r = jnode_bool(from, desired_state_names[state], JSON_REQUIRED, &told, err);
		if (!r && told)
			notify->when |= 1u << state;
	}
	if (!r && notify->program[0] != '/')
		r = jnode_fail(from, err, -EINVAL, "program: not an absolute path");
	if (!r && !notify->when)
		r = jnode_fail(from, err, -EINVAL, "it is told of no state");
	return r;
}

int desired_notify_get(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "notify", JSON_OPTIONAL, PROTO_NOTIFIES_MAX, &array, err);

	if (r || !array.json)
		return r;
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_notify(&item, &endpoint->notify[endpoint->notify_count++], err);
	}
	return r;
}
