/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/apply_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "common/json/write.h"

static void print_gateway(const json_t *gateway)
{
	const char *result = json_string_value(json_object_get(gateway, "result"));
	const char *remark = "";

	if (result && !strcmp(result, "unreachable"))
		remark = "; it gets this generation when it comes back";
	if (result && !strcmp(result, "pending"))
		remark = "; it has been told to, and has not said yet that it holds it";
	printf("%s: %s%s\n", json_string_value(json_object_get(gateway, "gateway")), result ? result : "?",
		remark);
}

static void print_answer(const json_t *answer)
{
	int64_t generation = json_integer_value(json_object_get(answer, "generation"));
	int64_t confirm_ms = json_integer_value(json_object_get(answer, "confirm_ms"));
	char given[32];
	size_t i;
	json_t *gateway;

	if (json_is_false(json_object_get(answer, "changed"))) {
		printf("nothing to do: generation %" PRId64 " is this already\n", generation);
		return;
	}
	json_array_foreach(json_object_get(answer, "gateways"), i, gateway) print_gateway(gateway);
	printf("generation %" PRId64 " is in force\n", generation);
	if (confirm_ms)
		printf("it is rolled back in %s unless 'holdfast confirm' comes before that\n",
			duration_format(confirm_ms, given, sizeof(given)));
}

void apply_answer_print(const json_t *answer, bool as_json)
{
	if (as_json) {
		CLEANUP_FREE char *text = json_pretty(answer, NULL);

		puts(text);
	} else {
		print_answer(answer);
	}
}
