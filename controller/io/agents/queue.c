/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/agents/queue.h"

#include <errno.h>
#include <string.h>

static void remove_at(struct queue *queue, size_t index)
{
	instruction_clear(&queue->items[index]);
	queue->count--;
	memmove(&queue->items[index], &queue->items[index + 1],
		(queue->count - index) * sizeof queue->items[0]);
	memset(&queue->items[queue->count], 0, sizeof queue->items[0]);
}

static bool replaces(const struct instruction *newer, const struct instruction *older)
{
	if (newer->kind != older->kind)
		return false;
	return newer->kind != INSTRUCTION_ORDER || strcmp(newer->order.endpoint, older->order.endpoint) == 0;
}

static void drop_replaced(struct queue *queue, const struct instruction *newer)
{
	for (size_t i = queue->count; i-- > 0;)
		if (replaces(newer, &queue->items[i]))
			remove_at(queue, i);
}

int queue_add(struct queue *queue, struct instruction *instruction, uint64_t *ret_seq)
{
	drop_replaced(queue, instruction);
	if (queue->count == QUEUE_MAX)
		return -ENOSPC;
	instruction->seq = ++queue->last_seq;
	queue->items[queue->count++] = *instruction;
	if (ret_seq)
		*ret_seq = instruction->seq;
	return 0;
}

void queue_acknowledge(struct queue *queue, uint64_t seq)
{
	while (queue->count && queue->items[0].seq <= seq)
		remove_at(queue, 0);
}

bool queue_has(const struct queue *queue, enum instruction_kind kind)
{
	for (size_t i = 0; i < queue->count; i++)
		if (queue->items[i].kind == kind)
			return true;
	return false;
}

void queue_drop(struct queue *queue, enum instruction_kind kind)
{
	for (size_t i = queue->count; i-- > 0;)
		if (queue->items[i].kind == kind)
			remove_at(queue, i);
}

void queue_clear(struct queue *queue)
{
	while (queue->count)
		remove_at(queue, queue->count - 1);
}

char *queue_encode(const struct queue *queue, struct instruction_list list)
{
	struct instruction items[QUEUE_MAX];
	memcpy(items, queue->items, sizeof items);
	list.count = queue->count;
	list.items = items;
	return instruction_list_encode(&list);
}
