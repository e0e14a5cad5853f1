/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/load/talker.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/mac.h"
#include "node-agent/io/control/control.h"

/* A generation, and what a report says of it. */
struct kept {
	struct desired *desired; /* owned; NULL: none */
	char hash[SHA256_HEX_MAX];
};

struct talker {
	char name[PROTO_NAME_MAX + 1];
	uint64_t boot;
	struct control *control;
	struct kept held, staged;
};

static void kept_clear(struct kept *kept)
{
	desired_free(kept->desired);
	*kept = (struct kept){0};
}

static void hash(struct kept *kept)
{
	char *json = desired_encode(kept->desired);
	size_t size = strlen(json);

	sha256_hex(json, size, kept->hash);
	mem_wipe(json, size);
	free(json);
}

static void stage(struct talker *talker, const struct desired_delta *delta)
{
	struct staged answer = {
		.boot = talker->boot, .generation = delta->head_and_set_peers->generation, .ok = true};
	struct err err = {0};

	text_copy(answer.gateway, sizeof(answer.gateway), talker->name);
	kept_clear(&talker->staged);
	if (desired_patch(delta->base ? talker->held.desired : NULL, delta, &talker->staged.desired, &err) >=
		0) {
		hash(&talker->staged);
	} else {
		answer.ok = false;
		err_format(&err, answer.error, sizeof(answer.error));
	}
	control_staged(talker->control, &answer);
}

static void commit(struct talker *talker, uint64_t generation)
{
	if (!talker->staged.desired || talker->staged.desired->generation != generation)
		return;
	kept_clear(&talker->held);
	talker->held = talker->staged;
	talker->staged = (struct kept){0};
	control_report_now(talker->control);
	malloc_trim(0); /* as the agent does */
	log_info("talker", "holds", log_text("gateway", talker->name), log_u64("generation", generation),
		log_u64("peers", talker->held.desired->peer_count));
}

static void on_instruction(void *context, struct instruction *instruction)
{
	switch (instruction->kind) {
	case INSTRUCTION_STAGE:
		stage(context, instruction->stage);
		break;
	case INSTRUCTION_COMMIT:
		commit(context, instruction->commit);
		break;
	case INSTRUCTION_NOVELTY:
	case INSTRUCTION_ORDER:
	case INSTRUCTION_SESSIONS:
	case INSTRUCTION_DRILL:
	case INSTRUCTION_UNANSWERED:
		break; /* it owns nothing */
	}
}

static void on_report(void *context, struct report *report)
{
	struct talker *talker = context;

	text_copy(report->gateway, sizeof(report->gateway), talker->name);
	report->boot = talker->boot;
	report->generation = talker->held.desired ? talker->held.desired->generation : 0;
	text_copy(report->hash, sizeof(report->hash), talker->held.hash);
	report->fit = true;
	report->wall_ms = clock_wall_ms();
	report->sessions_whole = true;
}

static void on_floor(void *context, uint64_t store, uint64_t floor)
{
	(void)context;
	(void)store;
	(void)floor;
}

static void on_reported(void *context, bool arrived)
{
	(void)context;
	(void)arrived;
}

static void on_stranger(void *context, const struct stranger *stranger)
{
	(void)context;
	(void)stranger;
}

static bool on_answered(void *context, uint64_t store)
{
	(void)context;
	(void)store;
	return true;
}

static const struct control_ops ops = {.floor = on_floor,
	.instruction = on_instruction,
	.report = on_report,
	.reported = on_reported,
	.stranger = on_stranger,
	.answered = on_answered};

int talker_new(struct event_base *base, const char *name, const char *url, const char *directory,
	struct talker **ret_talker, struct err *err)
{
	char ca[PROTO_PATH_MAX], certificate[PROTO_PATH_MAX], key[PROTO_PATH_MAX];
	struct talker *talker = mem_new(1, sizeof(*talker));
	struct control_options options = {.urls = &url,
		.url_count = 1,
		.tls = {.ca = ca, .certificate = certificate, .key = key},
		.boot = clock_boot_id()};
	int r;

	snprintf(ca, sizeof(ca), "%s/ca.pem", directory);
	snprintf(certificate, sizeof(certificate), "%s/%s.pem", directory, name);
	snprintf(key, sizeof(key), "%s/%s.key", directory, name);
	text_copy(talker->name, sizeof(talker->name), name);
	talker->boot = options.boot;
	r = control_new(base, &options, &ops, talker, &talker->control, err);
	if (r < 0)
		free(talker);
	else
		*ret_talker = talker;
	return r;
}

void talker_free(struct talker *talker)
{
	if (!talker)
		return;
	control_free(talker->control);
	kept_clear(&talker->held);
	kept_clear(&talker->staged);
	free(talker);
}
