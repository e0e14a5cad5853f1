/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_TABLE_H
#define HOLDFAST_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

/* Rows of text in columns as wide as their widest cell, two spaces apart, nothing after the last. */
enum { TABLE_COLUMNS_MAX = 12 };

struct table {
	size_t columns, cells, capacity;
	char **cell; /* owned copies, row by row */
};

void table_init(struct table *table, size_t columns);
/* The next cell; printf-like, without control characters (text_for_terminal()). The first `columns` ones are the heading. */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *table, FILE *out);
void table_clear(struct table *table);

#endif
