/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_BUNDLE_H
#define HOLDFAST_CONTROLLER_IO_BUNDLE_H

#include <stddef.h>

#include "common/base/err.h"

/*
 * The files of a fleet: the fleet file first, then what its `include:` named. As JSON, which is how they travel and are
 * stored: {"files": [{"name": "fleet.yaml", "text": "..."}]}
 */
enum { BUNDLE_FILES_MAX = 10000, BUNDLE_BYTES_MAX = 32 * 1024 * 1024 };
/* Escapes make the JSON longer than its texts. */
enum { BUNDLE_JSON_MAX = 2 * BUNDLE_BYTES_MAX };

struct bundle_file {
	char *name, *text; /* owned */
	size_t size;       /* of text, without the NUL */
};

struct bundle {
	size_t count, capacity;
	struct bundle_file *files; /* owned */
	size_t bytes;              /* of all texts */
};

/* -E2BIG beyond the limits. Copies both. */
int bundle_add(struct bundle *bundle, const char *name, const char *text, size_t size, struct err *err);
void bundle_clear(struct bundle *bundle);

/* Canonical: equal files give equal text. The caller frees. */
char *bundle_encode(const struct bundle *bundle);
/* Members that it does not know are ignored. */
int bundle_decode(const char *json, size_t size, struct bundle *ret_bundle, struct err *err);

#endif
