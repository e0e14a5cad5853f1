/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/holding.h"

#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/catching.h"
#include "controller/io/controller.h"

const char *holding_state_name(enum holding_state state)
{
	switch (state) {
	case HOLDING_UNKNOWN:
		return "unknown";
	case HOLDING_STAGING:
		return "staging";
	case HOLDING_STAGED:
		return "staged";
	case HOLDING_COMMITTING:
		return "committing";
	case HOLDING_CURRENT:
		return "current";
	case HOLDING_REFUSED:
		return "refused";
	}
	return "unknown";
}

void holding_set(struct agent *agent, enum holding_state state, uint64_t generation)
{
	agent->holding->state = state;
	agent->holding->generation = generation;
	agent->holding->since_ms = clock_now_ms();
	agent->holding->error[0] = 0;
}

static bool reports(const struct agent *agent, uint64_t number, const struct generation_gateway *state)
{
	return agent->reported && state && agent->report.generation == number &&
	       strcmp(agent->report.hash, state->hash) == 0;
}

bool holding_is_current(const struct controller *controller, const struct agent *agent)
{
	const struct generation *current = controller->current;
	return current && reports(agent, current->number, generation_find(current, agent->name));
}

void holding_stage(struct controller *controller, struct agent *agent, const struct generation_gateway *to,
	uint64_t generation)
{
	const struct desired *from = NULL;
	if (holding_is_current(controller, agent))
		from = generation_find(controller->current, agent->name)->desired;
	holding_stage_from(agent, from, to, generation);
}

void holding_stage_from(struct agent *agent, const struct desired *from, const struct generation_gateway *to,
	uint64_t generation)
{
	holding_set(agent, HOLDING_STAGING, generation);
	agent->generation_bytes = to->bytes;
	agent_post(agent,
		&(struct instruction){.kind = INSTRUCTION_STAGE, .stage = desired_diff(from, to->desired)});
	log_info("apply", "stage", log_text("gateway", agent->name), log_u64("generation", generation),
		log_bool("whole", from == NULL));
}

void holding_commit(struct agent *agent, uint64_t generation)
{
	holding_set(agent, HOLDING_COMMITTING, generation);
	agent_post(agent, &(struct instruction){.kind = INSTRUCTION_COMMIT, .commit = generation});
	log_info("apply", "commit", log_text("gateway", agent->name), log_u64("generation", generation));
}

void holding_take_answer(struct controller *controller, struct agent *agent, const struct staged *staged)
{
	if (!controller->current || staged->generation != controller->current->number ||
		agent->holding->state != HOLDING_STAGING)
		return;
	if (staged->ok) {
		holding_commit(agent, staged->generation);
		return;
	}
	holding_set(agent, HOLDING_REFUSED, staged->generation);
	text_copy(agent->holding->error, sizeof agent->holding->error, staged->error);
	log_warning("apply", "refused", log_text("gateway", agent->name),
		log_u64("generation", staged->generation), log_text("error", staged->error));
}

/* Is a step under way that deserves more patience? */
static bool must_wait(const struct controller *controller, const struct agent *agent)
{
	const struct holding *holding = agent->holding;
	int64_t waited_ms = clock_now_ms() - holding->since_ms;
	switch (holding->state) {
	case HOLDING_STAGED:
		return true; /* its apply goes on */
	case HOLDING_STAGING:
	case HOLDING_COMMITTING:
		if (holding->generation != controller->current->number)
			return controller->apply != NULL;
		return waited_ms < HOLDING_ANSWER_MS || agent_takes_in(agent, clock_now_ms());
	case HOLDING_REFUSED:
		return holding->generation == controller->current->number && waited_ms < HOLDING_RETRY_MS;
	case HOLDING_UNKNOWN:
	case HOLDING_CURRENT:
		return false;
	}
	return false;
}

static void become_current(struct controller *controller, struct agent *agent)
{
	if (agent->holding->state == HOLDING_CURRENT)
		return;
	holding_set(agent, HOLDING_CURRENT, controller->current->number);
	/* A beat that says so may come later, and none of its orders is repeated to whom the floor bars. */
	decisions_generation(controller->decisions, agent->name, agent->report.generation);
	/* Orders for endpoints it did not know of before. */
	decisions_repeat_orders(controller->decisions, agent->name);
}

void holding_sync(struct controller *controller, struct agent *agent)
{
	const struct generation_gateway *to = generation_find(controller->current, agent->name);
	if (!to || !agent->connected || !agent->reported || apply_has(controller->apply, agent->name))
		return;
	if (controller->current->number < controller->floor)
		return; /* an old store: nobody may go back to what it has */
	if (holding_is_current(controller, agent))
		become_current(controller, agent);
	else if (!must_wait(controller, agent) && !catching_start(controller, agent))
		holding_stage(controller, agent, to, controller->current->number);
}
