/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_JOURNAL_H
#define HOLDFAST_AGENT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

/* The last things that happened here, for `holdfast events` on a gateway whose controllers are gone. */
enum { JOURNAL_MAX = 128, JOURNAL_TEXT_MAX = 200 };

struct journal_entry {
	uint64_t seq; /* from 1 */
	int64_t wall_ms;
	char event[24];
	char endpoint[PROTO_NAME_MAX + 1]; /* "": none */
	char text[JOURNAL_TEXT_MAX];
};

struct journal {
	uint64_t seq; /* of the latest */
	struct journal_entry entries[JOURNAL_MAX];
};

/* Also logged, at level notice. endpoint may be NULL. */
void journal_add(struct journal *journal, const char *event, const char *endpoint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same without a line in the log, for what has a line of its own there. */
void journal_note(struct journal *journal, const char *event, const char *endpoint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* NULL: it was pushed out, or is not there yet. */
const struct journal_entry *journal_at(const struct journal *journal, uint64_t seq);

#endif
