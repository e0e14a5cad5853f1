/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/instruction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"
#include "proto/message.h"

static const char *const kinds[] = {
	"novelty", "stage", "commit", "order", "sessions", "drill", "unanswered"}; /* enum instruction_kind */

static void put_order(json_t *to, const struct order *order)
{
	json_t *object = jput_object(to, "order");

	jput_text(object, "endpoint", order->endpoint);
	epoch_put(object, "epoch", &order->epoch);
	name_put_if_set(object, "owner", order->owner);
	name_put_if_set(object, "from", order->from);
	name_put_if_set(object, "guest", order->guest);
	if (!epoch_is_zero(&order->next))
		epoch_put(object, "next", &order->next);
	name_put_if_set(object, "cause", order->cause);
	jput_u64(object, "detect_ms", order->detect_ms);
}

static void put_instruction(json_t *to, const struct instruction *instruction)
{
	json_t *object = jput_object(to, NULL);

	jput_u64(object, "seq", instruction->seq);
	jput_text(object, "kind", kinds[instruction->kind]);
	switch (instruction->kind) {
	case INSTRUCTION_NOVELTY:
		break;
	case INSTRUCTION_STAGE:
		desired_delta_put(object, "stage", instruction->stage);
		break;
	case INSTRUCTION_COMMIT:
		jput_u64(object, "commit", instruction->commit);
		break;
	case INSTRUCTION_ORDER:
		put_order(object, &instruction->order);
		break;
	case INSTRUCTION_DRILL:
		drill_order_put(object, "drill", &instruction->drill);
		break;
	case INSTRUCTION_SESSIONS:
		sessions_put(object, "sessions", instruction->sessions.items, instruction->sessions.count);
		break;
	case INSTRUCTION_UNANSWERED:
		unanswered_news_put(object, "unanswered", instruction->unanswered);
		break;
	}
}

static void wipe_json(json_t *json)
{
	json_t *items = json_object_get(json, "instructions");

	for (size_t i = 0; i < json_array_size(items); i++)
		desired_delta_wipe_json(json_object_get(json_array_get(items, i), "stage"));
}

/* The peers of all stages, into the message. */
static char *put_peers_in(char *message, const struct instruction_list *list)
{
	char **peers = mem_new(list->count + 1, sizeof(*peers));
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].kind == INSTRUCTION_STAGE)
			peers[count++] = desired_peers_encode(list->items[i].stage->head_and_set_peers);
	message = desired_put_peers_in(message, (const char *const *)peers, count);
	while (count)
		free(peers[--count]);
	free(peers);
	return message;
}

char *instruction_list_encode(const struct instruction_list *list)
{
	json_t *json = message_new(), *array;
	char *text;

	jput_hex64(json, "run", list->run);
	if (list->store)
		jput_hex64(json, "store", list->store);
	if (list->floor)
		jput_u64(json, "floor", list->floor);
	array = jput_array(json, "instructions");
	for (size_t i = 0; i < list->count; i++)
		put_instruction(array, &list->items[i]);
	text = json_canonical(json, NULL);
	wipe_json(json);
	json_decref(json);
	return put_peers_in(text, list);
}

static int get_next(const struct jnode *from, struct epoch *next, struct err *err)
{
	return jnode_find(from, "next", NULL) ? epoch_get(from, "next", next, err) : 0;
}

static int get_order(const struct jnode *from, struct order *order, struct err *err)
{
	uint64_t detect_ms;
	struct jnode object;
	int r;

	if ((r = jnode_object(from, "order", JSON_REQUIRED, &object, err)) ||
		(r = jnode_name(&object, "endpoint", JSON_REQUIRED, order->endpoint, sizeof(order->endpoint),
			 err)) ||
		(r = epoch_get(&object, "epoch", &order->epoch, err)) ||
		(r = jnode_name(&object, "owner", JSON_OPTIONAL, order->owner, sizeof(order->owner), err)) ||
		(r = jnode_name(&object, "from", JSON_OPTIONAL, order->from, sizeof(order->from), err)) ||
		(r = jnode_name(&object, "guest", JSON_OPTIONAL, order->guest, sizeof(order->guest), err)) ||
		(r = get_next(&object, &order->next, err)) ||
		(r = jnode_name(&object, "cause", JSON_OPTIONAL, order->cause, sizeof(order->cause), err)) ||
		(r = jnode_u64(&object, "detect_ms", JSON_REQUIRED, 0, UINT32_MAX, &detect_ms, err)))
		return r;
	order->detect_ms = (uint32_t)detect_ms;
	return 0;
}

static int get_stage(const struct jnode *from, struct instruction *instruction, struct err *err)
{
	struct jnode stage;
	int r = jnode_object(from, "stage", JSON_REQUIRED, &stage, err);

	return r ? r : desired_delta_get(&stage, &instruction->stage, err);
}

static int get_content(const struct jnode *from, struct instruction *instruction, struct err *err)
{
	switch (instruction->kind) {
	case INSTRUCTION_NOVELTY:
		return 0;
	case INSTRUCTION_STAGE:
		return get_stage(from, instruction, err);
	case INSTRUCTION_COMMIT:
		return jnode_u64(from, "commit", JSON_REQUIRED, 1, INT64_MAX, &instruction->commit, err);
	case INSTRUCTION_ORDER:
		return get_order(from, &instruction->order, err);
	case INSTRUCTION_DRILL:
		return drill_order_get(from, "drill", &instruction->drill, err);
	case INSTRUCTION_SESSIONS:
		return sessions_get(
			from, "sessions", &instruction->sessions.items, &instruction->sessions.count, err);
	case INSTRUCTION_UNANSWERED:
		return unanswered_news_get(from, "unanswered", &instruction->unanswered, err);
	}
	return -EINVAL;
}

static int get_kind(const struct jnode *from, enum instruction_kind *ret_kind, struct err *err)
{
	char name[PROTO_NAME_MAX + 1];
	int r = jnode_name(from, "kind", JSON_REQUIRED, name, sizeof(name), err);

	if (r)
		return r;
	*ret_kind = INSTRUCTION_NOVELTY;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (!strcmp(kinds[i], name))
			*ret_kind = (enum instruction_kind)i;
	return 0;
}

static int get_instruction(
	const struct jnode *from, uint64_t after, struct instruction *ret_instruction, struct err *err)
{
	struct instruction instruction = {0};
	int r;

	if ((r = jnode_u64(from, "seq", JSON_REQUIRED, 1, INT64_MAX, &instruction.seq, err)) ||
		(r = get_kind(from, &instruction.kind, err)))
		return r;
	if (instruction.seq <= after)
		return jnode_fail(from, err, -EINVAL, "its seq does not rise");
	r = get_content(from, &instruction, err);
	if (!r)
		*ret_instruction = instruction;
	return r;
}

static int get_items(const struct jnode *from, struct instruction_list *list, struct err *err)
{
	struct jnode array;
	uint64_t after = 0;
	int r = jnode_array(from, "instructions", JSON_REQUIRED, PROTO_INSTRUCTIONS_MAX, &array, err);

	if (!r && jnode_count(&array))
		list->items = mem_new(jnode_count(&array), sizeof(*list->items));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_instruction(&item, after, &list->items[i], err);
		if (r)
			break;
		after = list->items[list->count++].seq;
	}
	return r;
}

int instruction_list_decode(const char *text, size_t size, struct instruction_list *ret_list, struct err *err)
{
	struct instruction_list list = {0};
	struct jnode root;
	json_t *json;
	int r = message_parse(text, size, &json, err);

	if (r)
		return r;
	root = jnode_root(json);
	r = jnode_hex64(&root, "run", JSON_REQUIRED, &list.run, err);
	if (!r)
		r = jnode_hex64(&root, "store", JSON_OPTIONAL, &list.store, err);
	if (!r)
		r = jnode_u64(&root, "floor", JSON_OPTIONAL, 1, INT64_MAX, &list.floor, err);
	if (!r)
		r = get_items(&root, &list, err);
	wipe_json(json);
	json_decref(json);
	if (r)
		instruction_list_clear(&list);
	else
		*ret_list = list;
	return r;
}

void instruction_clear(struct instruction *instruction)
{
	if (instruction->kind == INSTRUCTION_STAGE)
		desired_delta_free(instruction->stage);
	if (instruction->kind == INSTRUCTION_SESSIONS)
		free(instruction->sessions.items);
	if (instruction->kind == INSTRUCTION_UNANSWERED)
		unanswered_news_free(instruction->unanswered);
	*instruction = (struct instruction){0};
}

void instruction_list_clear(struct instruction_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		instruction_clear(&list->items[i]);
	free(list->items);
	*list = (struct instruction_list){0};
}
