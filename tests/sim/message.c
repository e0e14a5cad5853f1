/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#include "common/base/mem.h"
#include "tests/sim/world.h"

/*
 * A datagram is under way for two milliseconds, and malloc() under a sanitizer takes longer than all that is done with
 * it. So those that have arrived are used again; until then a sanitizer sees whoever looks at one.
 */

void queue_add(struct queue *queue, struct message *message)
{
	if (queue->first == NULL)
		queue->last = &queue->first;
	message->next = NULL;
	*queue->last = message;
	queue->last = &message->next;
}

struct message *queue_take(struct queue *queue)
{
	struct message *message = queue->first;

	if (message != NULL)
		queue->first = message->next;
	return message;
}

static void *content(struct message *message)
{
	return &message->kind;
}

enum { CONTENT = sizeof(struct message) - offsetof(struct message, kind) };

struct message *message_copy(struct world *world, const struct message *message)
{
	struct message *copy = queue_take(&world->spare);

	if (copy == NULL)
		return mem_copy(message, sizeof(*message));
	ASAN_UNPOISON_MEMORY_REGION(content(copy), CONTENT);
	*copy = *message;
	return copy;
}

void message_drop(struct world *world, struct message *message)
{
	ASAN_POISON_MEMORY_REGION(content(message), CONTENT);
	queue_add(&world->spare, message);
}

void queue_drop(struct world *world, struct queue *queue)
{
	struct message *message;

	while ((message = queue_take(queue)) != NULL)
		message_drop(world, message);
}

void message_free_spare(struct world *world)
{
	struct message *message;

	while ((message = queue_take(&world->spare)) != NULL)
		free(message);
}
