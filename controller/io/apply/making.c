/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/making.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/io/controller.h"

struct making {
	struct controller *controller;
	struct bundle bundle; /* owned */
	uint64_t number;
	char who[STORE_WHO_MAX + 1];
	making_done *done;
	struct made made;
};

static void making_free(struct making *making)
{
	bundle_clear(&making->bundle);
	generation_free(making->made.generation);
	lines_clear(&making->made.errors);
	lines_clear(&making->made.warnings);
	free(making);
}

static int make(struct store *store, void *context, struct err *err)
{
	struct making *making = context;
	struct made *made = &making->made;
	struct generation_maker maker = {.controller = making->controller->self.name,
		.store = store_id(store),
		.secret = store_secret(store)};
	(void)err;
	return generation_make(
		&making->bundle, making->number, &maker, &made->generation, &made->errors, &made->warnings);
}

static void on_made(void *context, int r, const struct err *err)
{
	struct making *making = context;
	struct generation *generation = making->made.generation;
	(void)err;
	if (r >= 0)
		text_copy(generation->who, sizeof generation->who, making->who);
	making->done(making->controller, r, &making->made);
	making_free(making);
}

void making_start(struct controller *controller, struct bundle *bundle, uint64_t number, const char *who,
	making_done *done)
{
	struct making *making = mem_new(1, sizeof *making);
	making->controller = controller;
	making->bundle = *bundle;
	*bundle = (struct bundle){0};
	making->number = number;
	making->done = done;
	text_copy(making->who, sizeof making->who, who);
	writer_add(
		controller->writer, &(struct writer_job){.write = make, .done = on_made, .context = making});
}
