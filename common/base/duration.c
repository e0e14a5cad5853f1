/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{"d", INT64_C(86400000)},
	{"h", INT64_C(3600000)},
	{"m", INT64_C(60000)},
	{"s", INT64_C(1000)},
	{"ms", INT64_C(1)},
};

#define DURATION_MAX_MS (INT64_C(365) * 86400000)

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(units); i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

/* Digits at *text as a number, stopping above what any duration can need. Moves *text behind them. */
static int64_t take_digits(const char **text, size_t *ret_count)
{
	int64_t value = 0;

	for (*ret_count = 0; **text >= '0' && **text <= '9'; (*text)++, (*ret_count)++)
		if (value <= DURATION_MAX_MS)
			value = value * 10 + (**text - '0');
	return value;
}

/* The part behind the point, of a unit: exact to the millisecond or refused. */
static int take_fraction(const char **text, const char **ret_digits, size_t *ret_count)
{
	*ret_digits = *text;
	*ret_count = 0;
	if (**text != '.')
		return 0;
	(*text)++;
	*ret_digits = *text;
	take_digits(text, ret_count);
	return *ret_count >= 1 && *ret_count <= 9 ? 0 : -EINVAL;
}

static int fraction_to_ms(const char *digits, size_t count, int64_t unit_ms, int64_t *ret_ms)
{
	int64_t part = 0, scale = 1;

	for (size_t i = 0; i < count; i++) {
		part = part * 10 + (digits[i] - '0');
		scale *= 10;
	}
	/* part < 10^9 and unit_ms < 10^8: the product fits. */
	if (part * unit_ms % scale != 0)
		return -EINVAL;
	*ret_ms = part * unit_ms / scale;
	return 0;
}

static int bad(const char *text, struct err *err)
{
	return err_set(err, -EINVAL, "\"%.64s\" is no duration: write 50ms, 3s, 1.5s, 2m, 12h or 7d", text);
}

int duration_parse(const char *text, int64_t *ret_ms, struct err *err)
{
	const char *at = text, *fraction;
	size_t count, fraction_count;
	const struct unit *unit;
	int64_t whole = take_digits(&at, &count), part_ms;

	if (count == 0 || take_fraction(&at, &fraction, &fraction_count) < 0)
		return bad(text, err);
	if (*at == '\0')
		return err_set(
			err, -EINVAL, "\"%.64s\" has no unit: write %.64sms or %.64ss", text, text, text);
	unit = find_unit(at);
	if (!unit || fraction_to_ms(fraction, fraction_count, unit->ms, &part_ms) < 0)
		return bad(text, err);
	if (whole > DURATION_MAX_MS / unit->ms || whole * unit->ms + part_ms > DURATION_MAX_MS)
		return err_set(err, -ERANGE, "\"%.64s\" is too long: at most 365d", text);
	*ret_ms = whole * unit->ms + part_ms;
	return 0;
}

char *duration_format(int64_t ms, char *buffer, size_t size)
{
	size_t i = 0;

	while (ms == 0 ? units[i].ms != 1000 : ms % units[i].ms != 0)
		i++;
	snprintf(buffer, size, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
	return buffer;
}
