/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_EPOCH_H
#define HOLDFAST_PROTO_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * The fencing token of a virtual endpoint (FAILOVER rule 6): rises at every change of owner; of two, the
 * higher is right. term: one life of a controller (max(stored, heard, seconds since 2025) + 1, on disk before
 * use); n counts within it; minor counts successions made by gateways without a controller. All zero: nobody
 * has ever owned it.
 */
struct epoch {
	uint32_t term, n, minor;
};

enum { EPOCH_TEXT_MAX = 33 };

int epoch_compare(const struct epoch *a, const struct epoch *b); /* <0, 0, >0 */
bool epoch_is_zero(const struct epoch *epoch);
/* "TERM.N", or "TERM.N.MINOR" when minor is not 0; "0.0" for none. Returns buffer. */
char *epoch_format(const struct epoch *epoch, char buffer[EPOCH_TEXT_MAX]);
int epoch_parse(const char *text, struct epoch *ret_epoch, struct err *err);

#endif
