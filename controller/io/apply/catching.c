/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/catching.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/log.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"

struct catching {
	struct controller *controller;
	char gateway[PROTO_NAME_MAX + 1];
	uint64_t boot, from, to;
	char hash[SHA256_HEX_MAX]; /* of what it holds */
	struct desired *held;      /* owned; NULL: not known here */
};

static int read_held(struct store *store, void *context, struct err *err)
{
	struct catching *catching = context;
	struct generation_maker maker = {.controller = catching->controller->self.name,
		.store = store_id(store),
		.secret = store_secret(store),
		.stored = true};
	struct store_generation stored = {0};
	struct bundle bundle = {0};
	int r = store_load_generation_number(store, catching->from, &stored, err);
	if (r >= 0)
		r = bundle_decode(stored.bundle, strlen(stored.bundle), &bundle, err);
	if (r >= 0)
		r = generation_make_one(
			&bundle, catching->from, &maker, catching->gateway, catching->hash, &catching->held);
	bundle_clear(&bundle);
	store_generation_clear(&stored);
	return r;
}

/* Meanwhile it may have gone, begun another life, caught up, or be asked for something newer. */
static bool still_wants(const struct catching *catching, const struct agent *agent)
{
	const struct generation *current = catching->controller->current;
	return agent && agent->connected && agent->boot == catching->boot && current &&
	       current->number == catching->to && agent->holding->state == HOLDING_STAGING &&
	       agent->holding->generation == catching->to && agent->holding->asked_from == catching->from &&
	       agent->report.generation == catching->from;
}

static void on_read(void *context, int r, const struct err *err)
{
	struct catching *catching = context;
	struct controller *controller = catching->controller;
	struct agent *agent = controller->agents ? agents_find(controller->agents, catching->gateway) : NULL;
	if (r < 0)
		log_info("apply", "held-not-known", log_text("gateway", catching->gateway),
			log_u64("generation", catching->from), log_err(err));
	if (still_wants(catching, agent))
		holding_stage_from(agent, catching->held,
			generation_find(controller->current, catching->gateway), catching->to);
	desired_free(catching->held);
	free(catching);
}

bool catching_start(struct controller *controller, struct agent *agent)
{
	struct holding *holding = agent->holding;
	uint64_t from = agent->report.generation, to = controller->current->number;
	if (!from || from >= to || !controller->writer ||
		(holding->asked_from == from && holding->asked_to == to))
		return false;
	struct catching *catching = mem_new(1, sizeof *catching);
	*catching = (struct catching){.controller = controller, .boot = agent->boot, .from = from, .to = to};
	text_copy(catching->gateway, sizeof catching->gateway, agent->name);
	text_copy(catching->hash, sizeof catching->hash, agent->report.hash);
	holding_set(agent, HOLDING_STAGING, to);
	holding->asked_from = from;
	holding->asked_to = to;
	writer_add(controller->writer,
		&(struct writer_job){.write = read_held, .done = on_read, .context = catching});
	return true;
}
