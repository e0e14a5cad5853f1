/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SERVER_H
#define HOLDFAST_TESTS_SERVER_H

#include <event2/event.h>
#include <stdbool.h>

#include "common/io/http_server.h"
#include "pki.h"

/* A server on loopback with a few routes, its PKI, and ways to wait. */
struct fixture {
	char dir[128], socket_path[160], url[64], plain_url[64];
	struct event_base *base;
	struct http_server *server;
	uint16_t tls_port, plain_port;
	/* what the handlers saw */
	struct http_peer peer;
	char rest[64], query[64];
	size_t body_size;
	int handled, gone;
	struct http_request *held;
	bool reply_twice;
};

/* Routes: GET /who; GET /name/...; POST /echo (1000 bytes); PUT /big (2 MiB); GET /hold; PUT /keep (2 MiB; holds, too); GET /silent. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* Run the loop until *flag is at least value; fails the test after 10 s. */
void fixture_wait(struct fixture *f, const int *flag, int value);
/* Run blocking code in a child while the loop serves it. It returns 0 or the line that failed. */
int fixture_child(
	struct fixture *f, int (*code)(const struct fixture *f, const void *data), const void *data);
/* In a child: send bytes to the plain port, read until the end. Returns the number of bytes in answer, or -1. */
long fixture_raw(const struct fixture *f, const void *bytes, size_t size, char *answer, size_t answer_size);

#define CHILD_CHECK(condition)                                \
	do {                                                  \
		if (!(condition))                             \
			return __LINE__ & 255 ? __LINE__ : 1; \
	} while (0)

#endif
