/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_REPEAT_KEPT_H
#define HOLDFAST_AGENT_REPEAT_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-agent/io/repeat/frame.h"
#include "node-agent/io/repeat/repeat.h"

/*
 * The frames of handshakes under way, found by their index: an initiation until its confirmation has left, or KEPT_FORGET_MS;
 * a confirmation until a while after its last repetition. Pure; now_ms is monotonic.
 *
 * So what is kept is what is outstanding, not how many clients there are. A takeover makes at most 256 initiations in 225 ms
 * (core/seat/wake.h), 5,700 within KEPT_FORGET_MS if nobody answers; and at 5,000 handshakes a second there are 2,300 confirmations from
 * their leaving to the end of KEPT_LINGER_MS: REPEAT_FRAMES_MAX is above the sum.
 */
enum {
	KEPT_FORGET_MS = 5000, /* WireGuard has given it up then (REKEY_TIMEOUT). Processors may be so busy */
	KEPT_LINGER_MS = 100,  /* a repetition that comes by on its way out is not taken for a new frame */
};

struct kept_frames;

struct kept_frames *kept_new(void);
void kept_free(struct kept_frames *kept); /* NULL-safe */

/* An initiation that left, size at most HANDSHAKE_FRAME_MAX. Copied. false: it is kept already, or REPEAT_FRAMES_MAX are. */
bool kept_initiation(struct kept_frames *kept, const uint8_t *bytes, size_t size,
	const struct handshake_frame *frame, int64_t now_ms);
/* A response that came: its initiation is not sent again. */
void kept_response(struct kept_frames *kept, const struct handshake_frame *frame);
/* An empty packet that left. false: it is not the first one in a session that was answered here, or as above. */
bool kept_confirmation(struct kept_frames *kept, const uint8_t *bytes, size_t size,
	const struct handshake_frame *frame, int64_t now_ms);

/* Send what is due again (true: it was sent). Returns whether more will be. */
bool kept_sweep(struct kept_frames *kept, int64_t now_ms,
	bool (*send)(void *context, const uint8_t *bytes, size_t size), void *context);

size_t kept_count(const struct kept_frames *kept);
struct repeat_counters kept_counters(const struct kept_frames *kept);

#endif
