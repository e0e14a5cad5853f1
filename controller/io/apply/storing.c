/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/storing.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/io/controller.h"

struct storing {
	struct controller *controller;
	struct store_generation generation; /* owned */
	storing_done *done;
};

static int write_generation(struct store *store, void *context, struct err *err)
{
	struct storing *storing = context;
	return store_add_generation(store, &storing->generation, err);
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

void storing_start(struct controller *controller, const struct generation *generation, storing_done *done)
{
	struct storing *storing = mem_new(1, sizeof *storing);
	storing->controller = controller;
	storing->done = done;
	storing->generation = (struct store_generation){.number = generation->number,
		.wall_ms = generation->wall_ms,
		.bundle = mem_text(generation->bundle)};
	text_copy(storing->generation.hash, sizeof storing->generation.hash, generation->hash);
	text_copy(storing->generation.who, sizeof storing->generation.who, generation->who);
	writer_add(controller->writer,
		&(struct writer_job){.write = write_generation, .done = on_written, .context = storing});
}
