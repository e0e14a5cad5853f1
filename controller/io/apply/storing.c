/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/storing.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "controller/io/controller.h"

struct storing {
	struct controller *controller;
	struct store_generation generation; /* owned */
	bool confirms;
	struct store_confirmation confirmation;
	storing_done *done;
};

static int write_generation(struct store *store, void *context, struct err *err)
{
	struct storing *storing = context;
	return store_add_generation(
		store, &storing->generation, storing->confirms ? &storing->confirmation : NULL, err);
}

static void on_written(void *context, int r, const struct err *err)
{
	struct storing *storing = context;
	struct controller *controller = storing->controller;
	storing_done *done = storing->done;
	store_generation_clear(&storing->generation);
	free(storing);
	done(controller, r, err);
}

void storing_start(struct controller *controller, const struct generation *generation,
	const struct store_confirmation *confirmation, storing_done *done)
{
	struct storing *storing = mem_new(1, sizeof *storing);
	storing->controller = controller;
	storing->done = done;
	storing->confirms = confirmation != NULL;
	if (confirmation)
		storing->confirmation = *confirmation;
	generation_record(generation, &storing->generation);
	writer_add(controller->writer,
		&(struct writer_job){.write = write_generation, .done = on_written, .context = storing});
}
