/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The arguments may point into *err itself (a text wrapped again), so nothing is written before they are read. */
static void fill(struct err *err, const char *where, unsigned line, unsigned column, const char *format,
	va_list args) __attribute__((format(printf, 5, 0)));

static void fill(
	struct err *err, const char *where, unsigned line, unsigned column, const char *format, va_list args)
{
	char text[ERR_TEXT_MAX], place[ERR_WHERE_MAX];

	vsnprintf(text, sizeof text, format, args);
	snprintf(place, sizeof place, "%s", where ? where : "");
	memcpy(err->text, text, sizeof text);
	memcpy(err->where, place, sizeof place);
	err->line = line;
	err->column = column;
}

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	fill(err, NULL, 0, 0, format, args);
	va_end(args);
	return code;
}

int err_at(
	struct err *err, int code, const char *where, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	fill(err, where, line, column, format, args);
	va_end(args);
	return code;
}

int err_prefix(struct err *err, int code, const char *format, ...)
{
	char context[ERR_TEXT_MAX], text[ERR_TEXT_MAX];
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(context, sizeof context, format, args);
	va_end(args);
	memcpy(text, err->text, sizeof text);
	/* Cut from the end: the context is what tells a person where to look. */
	if (snprintf(err->text, sizeof err->text, "%s: %s", context, text) < 0)
		err->text[0] = '\0';
	return code;
}

char *err_format(const struct err *err, char *buffer, size_t size)
{
	char place[ERR_WHERE_MAX + 32] = "";
	int length = 0;

	if (size == 0)
		return buffer;
	if (err->where[0] != '\0')
		length = snprintf(place, sizeof place, "%s:", err->where);
	if (err->line > 0)
		length += snprintf(place + length, sizeof place - (size_t)length, "%u:", err->line);
	if (err->line > 0 && err->column > 0)
		length += snprintf(place + length, sizeof place - (size_t)length, "%u:", err->column);
	if (snprintf(buffer, size, "%s%s%s", place, length > 0 ? " " : "", err->text) < 0)
		buffer[0] = '\0';
	return buffer;
}
