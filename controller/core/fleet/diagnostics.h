/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_DIAGNOSTICS_H
#define HOLDFAST_CONTROLLER_FLEET_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is wrong with a fleet, all of it, in the order of the files. Of a file that is wrong in 100,000 places so many of each
 * kind are listed as diagnostics_max() says, so that no kind hides another; the rest of a kind is one item more, at the end,
 * which says how many they are, in the place of the first of them.
 */
enum { DIAGNOSTIC_TEXT_MAX = 2048 };

enum diagnostic_kind {
	DIAGNOSTIC_ERROR,
	/* All others are warnings: the fleet works, but does what a person may not expect. */
	WARNING_HOST_BITS,
	WARNING_ALONE,         /* a virtual endpoint with one gateway */
	WARNING_CHECK_ADDRESS, /* a standby has none to ask from */
	WARNING_MASQUERADE,    /* of a tunnel that moves */
	WARNING_NESTED,        /* the narrower of two peers' prefixes wins */
	WARNING_OUTSIDE,       /* a peer, of all networks of its tunnels */
	WARNING_EXPIRED,
	WARNING_STORED, /* a check refuses it, of a fleet that was right when it was applied */
	DIAGNOSTIC_KINDS,
};

struct diagnostic {
	enum diagnostic_kind kind;
	bool is_rest; /* stands for all of its kind that are not listed */
	char *file;   /* owned, as is text */
	unsigned source, line, column;
	unsigned order; /* in which it was found */
	char *text;
};

struct diagnostics {
	size_t count, capacity;
	struct diagnostic *items;       /* owned */
	size_t found[DIAGNOSTIC_KINDS]; /* all, also those that are not listed */
	size_t errors, warnings;        /* likewise */
};

/* 1,000 errors, 20 warnings of a kind. */
size_t diagnostics_max(enum diagnostic_kind kind);

static inline bool diagnostic_is_warning(const struct diagnostic *diagnostic)
{
	return diagnostic->kind != DIAGNOSTIC_ERROR;
}

void diagnostics_clear(struct diagnostics *diagnostics);

/* "file:line:column: text", cut to the buffer; the same form for errors and warnings. Returns buffer. */
char *diagnostic_format(const struct diagnostic *diagnostic, char *buffer, size_t size);

#endif
