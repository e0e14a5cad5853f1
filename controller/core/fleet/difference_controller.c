/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "controller/core/fleet/difference.h"
#include "controller/core/fleet/difference_part.h"

static void render_preempt(const void *thing, struct text *text)
{
	int64_t preempt_ms = ((const struct fleet_endpoint *)thing)->preempt_ms;
	char buffer[32];

	text_add(text, "%s",
		preempt_ms == FLEET_PREEMPT_NEVER ? "never"
						  : duration_format(preempt_ms, buffer, sizeof(buffer)));
}

static void render_dial_name(const void *thing, struct text *text)
{
	const char *name = ((const struct fleet_endpoint *)thing)->dial_name;

	text_add(text, "%s", *name ? name : "none");
}

size_t fleet_difference_of_controller(const struct fleet *from, const struct fleet *to, struct text *lines)
{
	static const struct field fields[] = {
		{"preempt", .render = render_preempt}, {"dial name", .render = render_dial_name}};
	char what[PROTO_NAME_MAX + 24];
	size_t count = 0;

	for (size_t i = 0; i < to->endpoint_count; i++) {
		const struct fleet_endpoint *before = fleet_find_endpoint(from, to->endpoints[i].name);

		if (!before)
			continue;
		(void)snprintf(what, sizeof(what), "virtual endpoint %s", before->name);
		count += difference_fields(
			what, fields, ARRAY_COUNT(fields), before, &to->endpoints[i], lines);
	}
	return count;
}
