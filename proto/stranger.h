/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_STRANGER_H
#define HOLDFAST_PROTO_STRANGER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "proto/limits.h"

/*
 * "You are no gateway of my fleet": the answer of 404 to any request of an agent, as problem details (RFC 9457) of a
 * type of its own. An agent that holds a generation of that very store releases all that it serves: it was removed
 * while it could not be reached. Nothing else that is 404 means that.
 */
#define STRANGER_PROBLEM "urn:holdfast:problem:no-gateway"

struct stranger {
	uint64_t store; /* of the controller that says so */
	char gateway[PROTO_NAME_MAX + 1];
};

/* The caller frees the text. */
char *stranger_encode(const struct stranger *stranger);
/* -EINVAL: it is something else. */
int stranger_decode(const char *text, size_t size, struct stranger *ret_stranger, struct err *err);

#endif
