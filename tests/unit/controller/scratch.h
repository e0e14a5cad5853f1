/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SCRATCH_H
#define HOLDFAST_TESTS_SCRATCH_H

/* A directory for one test, and files in it. Any failure aborts. */
enum { SCRATCH_MAX = 256 };

struct scratch {
	char directory[64];
	char path[SCRATCH_MAX];
};

void scratch_make(struct scratch *scratch);
void scratch_remove(const struct scratch *scratch);
/* DIRECTORY/name; valid until the next call. */
const char *scratch_path(struct scratch *scratch, const char *name);
/* Writes it too. */
const char *scratch_file(struct scratch *scratch, const char *name, const char *text);

#endif
