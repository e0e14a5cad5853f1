/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/epoch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int epoch_compare(const struct epoch *a, const struct epoch *b)
{
	int order = compare_u32(a->term, b->term);

	if (!order)
		order = compare_u32(a->n, b->n);
	return order ? order : compare_u32(a->minor, b->minor);
}

bool epoch_is_zero(const struct epoch *epoch)
{
	return !epoch->term && !epoch->n && !epoch->minor;
}

char *epoch_format(const struct epoch *epoch, char buffer[EPOCH_TEXT_MAX])
{
	int length = snprintf(buffer, EPOCH_TEXT_MAX, "%" PRIu32 ".%" PRIu32, epoch->term, epoch->n);

	if (epoch->minor)
		(void)snprintf(buffer + length, EPOCH_TEXT_MAX - (size_t)length, ".%" PRIu32, epoch->minor);
	return buffer;
}

static int parse_numbers(const char *text, struct epoch *epoch)
{
	uint32_t *parts[] = {&epoch->term, &epoch->n, &epoch->minor};
	char copy[EPOCH_TEXT_MAX], *rest = copy, *part;

	if (!text_copy(copy, sizeof(copy), text))
		return -EINVAL;
	for (size_t i = 0; (part = strsep(&rest, ".")); i++) {
		uint64_t value;

		if (i == 3 || text_to_u64(part, 0, UINT32_MAX, &value))
			return -EINVAL;
		*parts[i] = (uint32_t)value;
	}
	return 0;
}

int epoch_parse(const char *text, struct epoch *ret_epoch, struct err *err)
{
	struct epoch epoch = {0};
	char canonical[EPOCH_TEXT_MAX];

	/* One epoch has one text: no leading zeros, no minor of 0. */
	if (parse_numbers(text, &epoch) || strcmp(epoch_format(&epoch, canonical), text) != 0)
		return err_set(err, -EINVAL, "not an epoch (TERM.N or TERM.N.MINOR)");
	*ret_epoch = epoch;
	return 0;
}
