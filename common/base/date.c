/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60, YEAR_MIN = 1970 };

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_since_1970(int year, int month, int day)
{
	int64_t days = day - 1;

	for (int y = YEAR_MIN; y < year; y++)
		days += 365 + is_leap(y);
	for (int m = 1; m < month; m++)
		days += days_of_month(year, m);
	return days;
}

/* So many digits, at *text, which moves on. */
static bool take_number(const char **text, int digits, int min, int max, int *ret_number)
{
	*ret_number = 0;
	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*ret_number = *ret_number * 10 + (**text - '0');
	}
	return *ret_number >= min && *ret_number <= max;
}

static bool take(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* Z, or +HH:MM: how far that clock is ahead. */
static bool take_zone(const char **text, int *ret_ahead_s)
{
	int hours, minutes, sign = **text == '-' ? -1 : 1;

	*ret_ahead_s = 0;
	if (take(text, 'Z'))
		return true;
	if ((!take(text, '+') && !take(text, '-')) || !take_number(text, 2, 0, 23, &hours) ||
		!take(text, ':') || !take_number(text, 2, 0, 59, &minutes))
		return false;
	*ret_ahead_s = sign * (hours * HOUR_S + minutes * MINUTE_S);
	return true;
}

static bool take_time(const char **text, int64_t *until_s)
{
	int hour, minute, second = 0, ahead_s;

	if (!take_number(text, 2, 0, 23, &hour) || !take(text, ':') ||
		!take_number(text, 2, 0, 59, &minute) ||
		(take(text, ':') && !take_number(text, 2, 0, 59, &second)) || !take_zone(text, &ahead_s))
		return false;
	*until_s += hour * HOUR_S + minute * MINUTE_S + second - ahead_s;
	return true;
}

static bool take_day(const char **text, int64_t *until_s)
{
	int year, month, day;

	if (!take_number(text, 4, YEAR_MIN, 9999, &year) || !take(text, '-') ||
		!take_number(text, 2, 1, 12, &month) || !take(text, '-') ||
		!take_number(text, 2, 1, days_of_month(year, month), &day))
		return false;
	*until_s = days_since_1970(year, month, day) * DAY_S;
	return true;
}

int date_parse_until(const char *text, int64_t *ret_until_s, struct err *err)
{
	const char *at = text;
	int64_t until_s;
	bool ok = take_day(&at, &until_s);

	if (ok && *at == '\0')
		until_s = until_s > DATE_MAX_S - DAY_S ? DATE_MAX_S : until_s + DAY_S;
	else
		ok = ok && take(&at, 'T') && take_time(&at, &until_s) && *at == '\0';
	if (!ok || until_s <= 0 || until_s > DATE_MAX_S) /* 0 would be "never" to whoever keeps it */
		return err_set(err, -EINVAL,
			"\"%.40s\" is not a date such as 2027-03-31 (that whole day in UTC) or "
			"2027-03-31T18:00:00Z",
			text);
	*ret_until_s = until_s;
	return 0;
}

char *date_format(int64_t at_s, char buffer[DATE_TEXT_MAX])
{
	int64_t days = at_s / DAY_S, left_s = at_s % DAY_S;
	int year = YEAR_MIN, month = 1;

	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (; days >= days_of_month(year, month); month++)
		days -= days_of_month(year, month);
	(void)snprintf(buffer, DATE_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
		(unsigned)month % 100, (unsigned)(days + 1) % 100, (unsigned)(left_s / HOUR_S) % 100,
		(unsigned)(left_s % HOUR_S / MINUTE_S) % 100, (unsigned)(left_s % MINUTE_S) % 100);
	return buffer;
}
