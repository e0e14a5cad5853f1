/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_READ_INT_H
#define HOLDFAST_QUICK_READ_INT_H

#include "node-agent/core/quick/line.h"
#include "node-agent/core/quick/read.h"

enum quick_section { QUICK_SECTION_NONE, QUICK_SECTION_INTERFACE, QUICK_SECTION_PEER };

struct quick_reader {
	const char *file;
	struct quick_config *config;
	const struct quick_line *line; /* being read */
	enum quick_section section;    /* wg's idea of it */
	bool has_public_key;           /* the peer being read */
	bool for_down;                 /* what does not matter then is not looked at */
	struct err *err;
};

/* -EINVAL at a place of the line. */
int quick_fail(struct quick_reader *reader, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void quick_warn(struct quick_reader *reader, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One of wg's lines. */
int quick_read_wg(struct quick_reader *reader);
/* At the end of a section or of the file: is the peer whole? */
int quick_end_peer(struct quick_reader *reader);

/* A second [Peer] with the same key changes the first: what it does not say, it has from it (but its allowed IPs
 * replace: see allowed.h). */
void quick_inherit_twins(struct quick_config *config);

#endif
