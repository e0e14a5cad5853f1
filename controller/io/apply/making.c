/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/making.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/io/controller.h"

struct making {
	struct controller *controller;
	struct bundle bundle; /* owned */
	uint64_t number, rollback_to;
	char who[STORE_WHO_MAX + 1], what[STORE_WHAT_MAX + 1];
	making_done *done;
	struct made made;
};

static void making_free(struct making *making)
{
	bundle_clear(&making->bundle);
	generation_free(making->made.generation);
	lines_clear(&making->made.errors);
	lines_clear(&making->made.warnings);
	lines_clear(&making->made.admits);
	free(making);
}

/* The files of the generation that is rolled back to. */
static int load_bundle(struct store *store, struct making *making)
{
	struct store_generation stored = {0};
	struct err err = {0};
	int r = store_load_generation_number(store, making->rollback_to, &stored, &err);
	if (r >= 0)
		r = bundle_decode(stored.bundle, strlen(stored.bundle), &making->bundle, &err);
	if (r == -ENOENT)
		lines_add(&making->made.errors,
			"generation %" PRIu64 " is not kept: 'holdfast history' lists those that are",
			making->rollback_to);
	else if (r < 0)
		lines_add(&making->made.errors, "generation %" PRIu64 ": %s", making->rollback_to, err.text);
	store_generation_clear(&stored);
	return r;
}

static int make(struct store *store, void *context, struct err *err)
{
	struct making *making = context;
	struct made *made = &making->made;
	struct generation_maker maker = {.controller = making->controller->self.name,
		.store = store_id(store),
		.secret = store_secret(store),
		.stored = making->rollback_to != 0};
	(void)err;
	int r = making->rollback_to ? load_bundle(store, making) : 0;
	if (r >= 0)
		r = generation_make(&making->bundle, making->number, &maker, &made->generation, &made->errors,
			&made->warnings);
	if (r < 0)
		return r;
	text_copy(made->generation->who, sizeof made->generation->who, making->who);
	text_copy(made->generation->what, sizeof made->generation->what, making->what);
	made->generation->rollback_to = making->rollback_to;
	generation_count(making->controller->current, made->generation);
	if (making->rollback_to)
		generation_admits(
			making->controller->current, made->generation, MADE_ADMITS_MAX, &made->admits);
	return r;
}

static void on_made(void *context, int r, const struct err *err)
{
	struct making *making = context;
	(void)err;
	making->done(making->controller, r, &making->made);
	making_free(making);
}

void making_start(struct controller *controller, const struct making_order *order, making_done *done)
{
	struct making *making = mem_new(1, sizeof *making);
	making->controller = controller;
	if (order->bundle) {
		making->bundle = *order->bundle;
		*order->bundle = (struct bundle){0};
	}
	making->number = order->number;
	making->rollback_to = order->rollback_to;
	making->done = done;
	text_copy(making->who, sizeof making->who, order->who);
	text_copy(making->what, sizeof making->what, order->what);
	writer_add(
		controller->writer, &(struct writer_job){.write = make, .done = on_made, .context = making});
}
