/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_CONF_NOTES_H
#define HOLDFAST_CLI_CONF_NOTES_H

#include "node-agent/core/quick/config.h"
#include "proto/limits.h"

/* What a wg-quick file says that its reader does not keep: names in comments, and what is to be said of keys that a fleet file has no
 * word for, or that take more than the file. */
struct conf_notes {
	char (*names)[PROTO_NAME_MAX + 1]; /* owned; one for each [Peer], in order; "": no comment names it */
	size_t count, capacity;
	struct quick_texts told; /* "FILE:7: PostUp: why"; never what its value is: it may be secret */
};

/* The text is one that quick_read() took. */
void conf_notes_read(const char *file, const char *text, size_t size, struct conf_notes *ret_notes);
void conf_notes_clear(struct conf_notes *notes);

/*
 * The name that a comment gives, "" if it does not look like one: one to three words, "Name = alice" and the like without
 * what stands before; what a name may not have becomes '-'. Returns whether there is one.
 */
bool conf_notes_name(const char *comment, size_t length, char name[PROTO_NAME_MAX + 1]);

#endif
