/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_TALKER_H
#define HOLDFAST_TESTS_TALKER_H

#include "common/base/err.h"

struct event_base;

/*
 * A gateway that only talks: it asks, stages, commits and reports with the agent's own code (io/control, proto), so it takes and
 * hashes each generation as an agent does. It sets up nothing, owns nothing and sends no liveness datagrams.
 */
struct talker;

/* DIRECTORY has ca.pem, NAME.pem, NAME.key. */
int talker_new(struct event_base *base, const char *name, const char *url, const char *directory,
	struct talker **ret_talker, struct err *err);
void talker_free(struct talker *talker); /* NULL-safe */

#endif
