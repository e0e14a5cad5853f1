/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/diagnostics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/note.h"

enum { KEY_DIGITS = 43 };

enum { ERRORS_MAX = 1000, WARNINGS_MAX = 20 };

/* What those of a kind are, if there are many. */
static const char *const kinds[] = {
	[DIAGNOSTIC_ERROR] = "errors",
	[WARNING_HOST_BITS] = "prefixes with bits beyond their length",
	[WARNING_ALONE] = "virtual endpoints with one gateway",
	[WARNING_CHECK_ADDRESS] = "checks without an address of the gateway's own to ask from",
	[WARNING_MASQUERADE] = "tunnels that move, and masquerade",
	[WARNING_NESTED] = "allowed_ips within which a narrower one of another peer wins",
	[WARNING_OUTSIDE] = "peers without allowed_ips in a network of their tunnel",
	[WARNING_EXPIRED] = "peers that are over",
	[WARNING_STORED] = "mistakes that an apply is refused for",
};

size_t diagnostics_max(enum diagnostic_kind kind)
{
	return kind == DIAGNOSTIC_ERROR ? ERRORS_MAX : WARNINGS_MAX;
}

/* A private key that stands in the wrong place looks like any other: 43 characters of base64, and '='. */
static void hide_keys(char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (char *at = text; *at;) {
		size_t length = strspn(at, digits);

		if (length >= KEY_DIGITS && at[length] == '=')
			memset(at + length - KEY_DIGITS, '*', KEY_DIGITS + 1);
		at += length ? length : 1;
	}
}

/* What was found in the file may hold line breaks, and escapes for a terminal. */
static char *one_line(const char *text)
{
	char *copy = mem_text(text);

	for (char *at = copy; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	return copy;
}

void diagnostics_add(struct diagnostics *diagnostics, const struct diagnostic *diagnostic)
{
	size_t found = ++diagnostics->found[diagnostic->kind], max = diagnostics_max(diagnostic->kind);
	struct diagnostic *item;

	if (diagnostic_is_warning(diagnostic))
		diagnostics->warnings++;
	else
		diagnostics->errors++;
	if (found > max + 1)
		return;
	diagnostics->items = mem_grow(diagnostics->items, &diagnostics->capacity, diagnostics->count + 1,
		sizeof(*diagnostics->items));
	item = &diagnostics->items[diagnostics->count];
	*item = *diagnostic;
	item->is_rest = found > max;
	item->file = one_line(diagnostic->file);
	item->text = one_line(diagnostic->text);
	hide_keys(item->text);
	item->order = (unsigned)diagnostics->count++;
}

static int compare_numbers(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
	const struct diagnostic *a = left, *b = right;
	int order = compare_numbers(a->is_rest, b->is_rest);

	if (!order)
		order = compare_numbers(a->source, b->source);
	if (!order)
		order = compare_numbers(a->line, b->line);
	if (!order)
		order = compare_numbers(a->column, b->column);
	return order ? order : compare_numbers(a->order, b->order);
}

static void count_rest(const struct diagnostics *diagnostics, struct diagnostic *rest)
{
	size_t count = diagnostics->found[rest->kind] - diagnostics_max(rest->kind);
	struct text text = {0};

	text_add(&text, "%s: %zu more, this one the first", kinds[rest->kind], count);
	free(rest->text);
	rest->text = text_take(&text);
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		if (diagnostics->items[i].is_rest)
			count_rest(diagnostics, &diagnostics->items[i]);
	if (diagnostics->count)
		qsort(diagnostics->items, diagnostics->count, sizeof(*diagnostics->items), compare);
}

void diagnostics_clear(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		free(diagnostics->items[i].file);
		free(diagnostics->items[i].text);
	}
	free(diagnostics->items);
	*diagnostics = (struct diagnostics){0};
}

char *diagnostic_format(const struct diagnostic *diagnostic, char *buffer, size_t size)
{
	struct err err = {.line = diagnostic->line, .column = diagnostic->column};

	(void)text_copy(err.where, sizeof(err.where), diagnostic->file);
	(void)text_copy(err.text, sizeof(err.text), diagnostic->text);
	return err_format(&err, buffer, size);
}
