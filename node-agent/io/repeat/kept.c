/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/repeat/kept.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#define uthash_malloc(size) mem_new(1, size)
#include <uthash.h>

/* Without padding: it is hashed as bytes. */
struct frame_key {
	uint32_t kind; /* HANDSHAKE_INITIATION or HANDSHAKE_KEEPALIVE */
	struct handshake_client
		client; /* of an initiation only an index, and that is ours: the client may have moved */
};

struct frame {
	struct frame_key key;
	struct handshake_client client; /* of an answered initiation */
	bool answered;
	bool confirmed;           /* the keepalive that follows has left: it is done with */
	unsigned times;           /* sent again */
	int64_t left_ms, last_ms; /* first, and last sent */
	size_t size;
	uint8_t bytes[HANDSHAKE_FRAME_MAX];
	UT_hash_handle hh, by_client;
};

struct kept_frames {
	struct frame *frames;   /* all, in the order in which they left */
	struct frame *answered; /* those that wait for a confirmation, by client */
	struct repeat_counters counters;
};

static const int64_t WHEN_MS[] = {REPEAT_FIRST_MS, REPEAT_SECOND_MS, REPEAT_THIRD_MS};
enum { INITIATION_TIMES = 2 };

struct kept_frames *kept_new(void)
{
	return mem_new(1, sizeof(struct kept_frames));
}

static void forget(struct kept_frames *kept, struct frame *frame)
{
	if (frame->answered && !frame->confirmed)
		HASH_DELETE(by_client, kept->answered, frame);
	HASH_DELETE(hh, kept->frames, frame);
	free(frame);
}

void kept_free(struct kept_frames *kept)
{
	struct frame *frame, *next;

	if (!kept)
		return;
	HASH_ITER (hh, kept->frames, frame, next)
		forget(kept, frame);
	free(kept);
}

/* ---- how long ---- */

static bool is_sent_enough(const struct frame *frame)
{
	unsigned enough = frame->key.kind == HANDSHAKE_INITIATION ? INITIATION_TIMES : ARRAY_COUNT(WHEN_MS);

	return frame->answered || frame->times == enough;
}

static bool is_waited_for(const struct frame *frame, int64_t now_ms)
{
	return frame->key.kind == HANDSHAKE_INITIATION && !frame->confirmed &&
	       now_ms - frame->left_ms < KEPT_FORGET_MS;
}

static bool is_past(const struct frame *frame, int64_t now_ms)
{
	if (!is_sent_enough(frame) || is_waited_for(frame, now_ms))
		return false;
	return !frame->times || now_ms - frame->last_ms >= KEPT_LINGER_MS;
}

static void forget_past(struct kept_frames *kept, int64_t now_ms)
{
	struct frame *frame, *next;

	HASH_ITER (hh, kept->frames, frame, next)
		if (is_past(frame, now_ms))
			forget(kept, frame);
}

static bool is_full(struct kept_frames *kept, int64_t now_ms)
{
	if (kept_count(kept) < REPEAT_FRAMES_MAX)
		return false;
	forget_past(kept, now_ms);
	return kept_count(kept) == REPEAT_FRAMES_MAX;
}

/* ---- what comes by ---- */

static struct frame_key key_of(const struct handshake_frame *frame)
{
	if (frame->kind == HANDSHAKE_KEEPALIVE)
		return (struct frame_key){.kind = HANDSHAKE_KEEPALIVE, .client = frame->client};
	return (struct frame_key){.kind = HANDSHAKE_INITIATION, .client.index = frame->index};
}

/* Of a response: the initiation that it answers. */
static struct frame *find(const struct kept_frames *kept, const struct handshake_frame *from)
{
	struct frame_key key = key_of(from);
	struct frame *frame;

	HASH_FIND(hh, kept->frames, &key, sizeof(key), frame);
	return frame;
}

static bool keep(struct kept_frames *kept, const uint8_t *bytes, size_t size,
	const struct handshake_frame *from, int64_t now_ms)
{
	struct frame *frame;

	if (size > HANDSHAKE_FRAME_MAX || find(kept, from))
		return false; /* our own repetition, it may be */
	if (is_full(kept, now_ms)) {
		kept->counters.left_out++;
		return false;
	}
	frame = mem_new(1, sizeof(*frame));
	frame->key = key_of(from);
	frame->left_ms = frame->last_ms = now_ms;
	frame->size = size;
	memcpy(frame->bytes, bytes, size);
	handshake_frame_checksum(frame->bytes, size, from);
	HASH_ADD(hh, kept->frames, key, sizeof(frame->key), frame);
	return true;
}

bool kept_initiation(struct kept_frames *kept, const uint8_t *bytes, size_t size,
	const struct handshake_frame *frame, int64_t now_ms)
{
	if (!keep(kept, bytes, size, frame, now_ms))
		return false;
	kept->counters.seen++;
	return true;
}

static struct frame *find_answered(const struct kept_frames *kept, const struct handshake_client *client)
{
	struct frame *frame;

	HASH_FIND(by_client, kept->answered, client, sizeof(*client), frame);
	return frame;
}

/* Clients choose their indices: of two with the same one at one address the second's confirmation is not repeated. */
void kept_response(struct kept_frames *kept, const struct handshake_frame *response)
{
	struct frame *frame = find(kept, response);

	if (!frame || frame->answered)
		return;
	kept->counters.answered++;
	frame->answered = true;
	frame->client = response->client;
	frame->confirmed = find_answered(kept, &response->client) != NULL;
	if (!frame->confirmed)
		HASH_ADD(by_client, kept->answered, client, sizeof(frame->client), frame);
}

/* Later ones keep a mapping alive and nothing hangs on them. */
bool kept_confirmation(struct kept_frames *kept, const uint8_t *bytes, size_t size,
	const struct handshake_frame *frame, int64_t now_ms)
{
	struct frame *initiation = find_answered(kept, &frame->client);

	if (!initiation)
		return false;
	HASH_DELETE(by_client, kept->answered, initiation);
	initiation->confirmed = true;
	if (is_past(initiation, now_ms))
		forget(kept, initiation);
	return keep(kept, bytes, size, frame, now_ms);
}

/* ---- again ---- */

static bool is_due(const struct frame *frame, int64_t now_ms)
{
	return !is_sent_enough(frame) && now_ms - frame->left_ms >= WHEN_MS[frame->times];
}

bool kept_sweep(struct kept_frames *kept, int64_t now_ms,
	bool (*send)(void *context, const uint8_t *bytes, size_t size), void *context)
{
	struct frame *frame, *next;
	bool more = false;

	forget_past(kept, now_ms);
	HASH_ITER (hh, kept->frames, frame, next) {
		if (is_due(frame, now_ms)) {
			frame->times++;
			frame->last_ms = now_ms;
			kept->counters.repeated += send(context, frame->bytes, frame->size);
		}
		more |= !is_sent_enough(frame);
	}
	return more;
}

size_t kept_count(const struct kept_frames *kept)
{
	return HASH_CNT(hh, kept->frames);
}

struct repeat_counters kept_counters(const struct kept_frames *kept)
{
	return kept->counters;
}
