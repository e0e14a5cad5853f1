/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_MOMENTS_H
#define HOLDFAST_AGENT_MOMENTS_H

#include "common/timeline/timeline.h"
#include "proto/datagram.h"
#include "proto/report.h"

struct agent;
struct agent_seat;
struct liveness_view;
struct wg_peer;

/* What this gateway remembers of takeovers and moves, for `holdfast report`: in memory only, told to the controller. */

/* Of an endpoint, now, under the epoch of its seat. subject, detail: "" for none. */
void moments_note(const struct agent_seat *seat, enum moment_kind kind, const char *subject,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void moments_ordered(struct agent *agent, const struct order *order);
/* By this gateway itself: a succession. */
void moments_decided(struct agent *agent, const struct order *order);
void moments_verdict(struct agent *agent, const char *partner, const struct liveness_view *view);
void moments_vote(struct agent *agent, const char *observer, const struct datagram_silence *silence);
/* PERMIT, ADDRESS, ANNOUNCED */
void moments_done(const struct agent_seat *seat, enum moment_kind kind);
/* The first TIMELINE_BACK_MAX of a takeover. */
void moments_back(struct agent_seat *seat, const char *tunnel, const struct key *public_key, uint32_t number);

void moments_fill(struct agent *agent, struct report *report);
void moments_told(struct agent *agent, bool arrived);
/* GET /v1/report?event=ID */
struct http_request;
void moments_answer(struct http_request *request, void *agent);

#endif
