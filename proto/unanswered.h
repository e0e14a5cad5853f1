/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_UNANSWERED_H
#define HOLDFAST_PROTO_UNANSWERED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "proto/limits.h"

/*
 * Which of the peers that share a prefix (struct desired_share) do not answer their probes: from who serves their tunnel,
 * the only one who asks, to those who may take it over, so that these give the prefix to the same peer.
 */
enum {
	UNANSWERED_REPORT_MAX = 256, /* in one report: of more, who takes over finds out by itself */
	UNANSWERED_TOLD_MAX =
		UNANSWERED_REPORT_MAX * PROTO_ENDPOINTS_MAX, /* each endpoint may be another's */
};

struct unanswered {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	struct prefix prefix;
};

/* Of the peers of these tunnels all others answer, or have no probe; of the rest nothing is said. */
struct unanswered_news {
	size_t tunnel_count;
	char tunnels[PROTO_TUNNELS_MAX][PROTO_INTERFACE_MAX + 1];
	size_t count;
	struct unanswered *items; /* owned */
};

bool unanswered_news_is_of(const struct unanswered_news *news, const char *tunnel);
bool unanswered_news_equal(const struct unanswered_news *a, const struct unanswered_news *b);
struct unanswered_news *unanswered_news_copy(const struct unanswered_news *news);
void unanswered_news_free(struct unanswered_news *news); /* NULL-safe */

#endif
