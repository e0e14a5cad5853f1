/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/floor.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/log.h"
#include "controller/io/controller.h"
#include "controller/io/watch/watch.h"

void floor_tell(struct controller *controller)
{
	agents_set_floor(controller->agents, controller->floor);
	watch_set_floor(controller->watch, controller->floor);
	decisions_set_floor(controller->decisions, controller->floor);
}

void floor_rise(struct controller *controller, uint64_t floor)
{
	if (floor <= controller->floor)
		return;
	controller->floor = floor;
	log_notice("apply", "revocation-floor", log_u64("generation", floor));
	floor_tell(controller);
}

static bool has_old_store(const struct controller *controller)
{
	uint64_t number = controller->current ? controller->current->number : 0;
	return controller->newest_held > number;
}

void floor_set_next(struct controller *controller, struct generation *next)
{
	bool raises = has_old_store(controller) || generation_narrows(controller->current, next);
	next->floor = raises ? next->number : controller->floor;
}

/* Heard of, in a store that was restored. */

struct raising {
	uint64_t floor;
};

static int write_floor(struct store *store, void *context, struct err *err)
{
	const struct raising *raising = context;
	return store_raise_floor(store, raising->floor, err);
}

static void on_written(void *context, int r, const struct err *err)
{
	if (r < 0)
		log_error("controller", "floor-not-stored", log_err(err));
	free(context);
}

static void tell_people(const struct controller *controller, const char *gateway)
{
	char text[PROTO_NAME_MAX + 256];
	snprintf(text, sizeof text,
		"%s knows of the revocation floor %llu, and this store only of generation %llu: it is an old "
		"one "
		"(restored?). Gateways keep what they have; apply the present fleet file",
		gateway, (unsigned long long)controller->floor,
		(unsigned long long)(controller->current ? controller->current->number : 0));
	log_error("controller", "old-store", log_text("text", text));
	journal_add(controller->journal,
		&(struct journal_entry){.event = "alarm", .text = text, .gateway = gateway});
}

void floor_hear(struct controller *controller, const char *gateway, uint64_t told)
{
	if (told <= controller->floor)
		return;
	floor_rise(controller, told);
	floor_hear_held(controller, told); /* somebody held that once */
	tell_people(controller, gateway);
	struct raising *raising = mem_new(1, sizeof *raising);
	raising->floor = told;
	writer_add(controller->writer,
		&(struct writer_job){.write = write_floor, .done = on_written, .context = raising});
}

/* A number stands for one content for ever: the next generation is above all that anybody holds. */
void floor_hear_held(struct controller *controller, uint64_t generation)
{
	if (generation > controller->newest_held)
		controller->newest_held = generation;
	if (generation > controller->last_number)
		controller->last_number = generation;
}

bool floor_is_ahead(const struct controller *controller, uint64_t generation)
{
	return controller->current && generation > controller->current->number &&
	       generation >= controller->floor;
}
