/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "proto/desired.h"
#include "tests/fuzz/fuzz_target.h"

/* The difference between two states leads from the one to the other. */
static void check_way(const struct desired *from, const struct desired *to)
{
	struct desired_delta *delta = desired_diff(from, to);
	char *expected = desired_encode(to), *found;
	struct desired *result;
	struct err err;

	FUZZ_CHECK(!desired_patch(from, delta, &result, &err));
	found = desired_encode(result);
	FUZZ_CHECK(!strcmp(expected, found));
	desired_delta_free(delta);
	desired_free(result);
	free(expected);
	free(found);
}

static void try_patch(const struct desired *from, const char *data, size_t size)
{
	struct desired_delta *delta;
	struct desired *to;
	struct err err;

	if (desired_delta_decode(data, size, &delta, &err))
		return;
	if (!desired_patch(from, delta, &to, &err)) {
		if (!strcmp(from->gateway, to->gateway))
			check_way(from, to);
		desired_free(to);
	}
	desired_delta_free(delta);
}

/* The first line is what an agent holds, the rest what its controller sends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	struct desired *from;
	struct err err;

	if (!end || desired_decode((const char *)data, (size_t)(end - data), &from, &err))
		return 0;
	try_patch(from, (const char *)end + 1, size - (size_t)(end + 1 - data));
	desired_free(from);
	return 0;
}
