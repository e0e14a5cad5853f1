/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_HEAD_H
#define HOLDFAST_IO_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * The head of an HTTP/1.x request (RFC 9112), read strictly and without I/O: whatever two readers could understand
 * differently is refused. That is why this is not evhttp's parser, which takes the first of two Content-Lengths, an
 * unknown transfer coding as none, and a body on GET as the next request.
 */
enum {
	HTTP_HEAD_MAX = 16 << 10, /* bytes, with the empty line */
	HTTP_HEADERS_MAX = 64,
	HTTP_CHUNK_LINE_MAX = 64,
	HTTP_TRAILERS_MAX = 4096,
};

struct http_header {
	char *name, *value;
};

struct http_head {
	char *text;     /* what the others point into */
	char *method;   /* "GET" */
	char *path;     /* percent-decoded */
	char *query;    /* as sent; "" if none */
	unsigned minor; /* HTTP/1.minor, 0 or 1 */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t header_count;
	bool keep_alive, expects_continue;
	bool chunked;
	uint64_t content_length; /* 0 without one */
};

/* The length of the head at the start of bytes, its empty line included; 0: not all there yet. */
size_t http_head_length(const char *bytes, size_t size);

/* Parse a head of that length. On failure -EINVAL, *ret_status says how to refuse (400, 417, 431, 505) and err why.
 * Clear with http_head_clear(). */
int http_head_parse(
	const char *bytes, size_t size, struct http_head *ret_head, int *ret_status, struct err *err);
void http_head_clear(struct http_head *head);

/* The first header of that name, in any case; NULL. */
const char *http_head_find(const struct http_head *head, const char *name);

/* Decode %XX in place (and '+' as a space, if asked). -EINVAL for a broken one or a NUL. */
int http_percent_decode(char *text, bool plus);

/* A chunk's first line (without its end): "1f" or "1f;ignored". At most 8 digits. */
int http_chunk_size(const char *line, size_t length, uint64_t *ret_size);

#endif
