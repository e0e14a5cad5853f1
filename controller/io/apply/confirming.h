/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_CONFIRMING_H
#define HOLDFAST_CONTROLLER_IO_CONFIRMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "controller/core/confirmation/confirmation.h"
#include "controller/io/store/store.h"

struct controller;

/*
 * The generation that awaits a confirmation, if one does: it is in the store from the moment that it is in force, so that
 * a controller that starts later rolls it back, too. Until then only a rollback is applied (apply.h). The rollback is forced
 * (apply_request), and repeated until it comes about.
 */
struct confirming;

enum { CONFIRMING_TEXT_MAX = 512 };

/* Loads what the store knows: call it before there is a writer. */
int confirming_new(struct controller *controller, struct confirming **ret_confirming, struct err *err);
void confirming_free(struct confirming *confirming); /* NULL-safe */

/* What the store has been told already: it is awaited from now on, or no more. */
void confirming_begin(struct confirming *confirming, const struct store_confirmation *confirmation);
void confirming_end(struct confirming *confirming);

bool confirming_is_awaited(const struct confirming *confirming);
const struct confirmation *confirming_state(const struct confirming *confirming);
const char *confirming_who(const struct confirming *confirming); /* who applied it */
const char *confirming_error(
	const struct confirming *confirming); /* why the rollback has not come about; "" */
/* What is awaited, for how long, and what to do: a line for a person. */
void confirming_describe(const struct confirming *confirming, char *text, size_t size);
/* As the store has it, for whoever writes a generation and changes nothing about it. NULL: none is awaited. */
const struct store_confirmation *confirming_record(const struct confirming *confirming);

typedef void confirming_done(int r, const char *text, uint64_t generation, void *context);

/* Somebody confirms it. done() is called later, with 0, or -EIO and why: the store could not be written. -ENOENT: nothing is
 * awaited; -EBUSY: too late. */
int confirming_confirm(struct confirming *confirming, const char *who, confirming_done *done, void *context,
	struct err *err);
/* The same from the apply under way: a rollback whose files are those of what awaits the confirmation. */
int confirming_choose(struct confirming *confirming, const char *who, confirming_done *done, void *context,
	struct err *err);
/* Nobody waits for that any more. */
void confirming_forget(struct confirming *confirming, const void *context);

#endif
