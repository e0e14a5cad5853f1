/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_ERR_H
#define HOLDFAST_BASE_ERR_H

#include <stddef.h>

/*
 * What a person reads when something is wrong: where it is, what it is, what to do.
 *
 * Functions that can fail in a way a person must understand take a struct err * (NULL: not wanted), return 0
 * or -errno, and fill it on failure only. One line, no trailing full stop or newline, never a secret.
 */
enum { ERR_WHERE_MAX = 512, ERR_TEXT_MAX = 1024 };

struct err {
	char where[ERR_WHERE_MAX]; /* a file, a gateway, a host; "" if the text says it all */
	unsigned line, column;     /* from 1; 0: not known */
	char text[ERR_TEXT_MAX];
};

/* Fill *err (if not NULL) and return code, so that a caller writes: return err_set(err, -EINVAL, "..."). */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with a place: a file with line and column (0: none). */
int err_at(struct err *err, int code, const char *where, unsigned line, unsigned column, const char *format,
	...) __attribute__((format(printf, 6, 7)));

/* Put a context in front of the text: "text" becomes "context: text". *err must be filled. Returns code. */
int err_prefix(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "where:line:column: text", without the parts that are not known. Always terminated. Returns buffer. */
char *err_format(const struct err *err, char *buffer, size_t size);

#endif
