/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

void table_init(struct table *table, size_t columns)
{
	*table = (struct table){.columns = columns};
}

void table_add(struct table *table, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	table->cell = mem_grow(table->cell, &table->capacity, table->cells + 1, sizeof(*table->cell));
	table->cell[table->cells++] = text_for_terminal(mem_text(text));
}

/* Nothing is padded that only empty cells follow. */
static size_t row_length(const struct table *table, size_t first)
{
	size_t length = table->columns < table->cells - first ? table->columns : table->cells - first;

	while (length > 1 && !table->cell[first + length - 1][0])
		length--;
	return length;
}

static void measure(const struct table *table, size_t widths[TABLE_COLUMNS_MAX])
{
	memset(widths, 0, TABLE_COLUMNS_MAX * sizeof(*widths));
	for (size_t i = 0; i < table->cells; i++) {
		size_t length = strlen(table->cell[i]);

		if (length > widths[i % table->columns])
			widths[i % table->columns] = length;
	}
}

void table_print(const struct table *table, FILE *out)
{
	size_t widths[TABLE_COLUMNS_MAX];

	measure(table, widths);
	for (size_t first = 0; first < table->cells; first += table->columns) {
		size_t length = row_length(table, first);

		for (size_t i = 0; i + 1 < length; i++)
			fprintf(out, "%-*s  ", (int)widths[i], table->cell[first + i]);
		fprintf(out, "%s\n", table->cell[first + length - 1]);
	}
}

void table_clear(struct table *table)
{
	for (size_t i = 0; i < table->cells; i++)
		free(table->cell[i]);
	free(table->cell);
	*table = (struct table){0};
}
