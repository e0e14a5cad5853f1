/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_REPORT_H
#define HOLDFAST_PROTO_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "proto/drill.h"
#include "proto/hearsay.h"
#include "proto/instruction.h"
#include "proto/moment.h"
#include "proto/seat.h"
#include "proto/standing.h"
#include "proto/unanswered.h"

/* What an agent tells its controller: POST /v1/agent/report, at once on any change and every second. */

/* A takeover this agent has made, told when the first handshake completed and again when it is over. */
struct takeover {
	char endpoint[PROTO_NAME_MAX + 1]; /* "": none in this report */
	struct epoch epoch;
	char from[PROTO_NAME_MAX + 1];
	char cause[PROTO_NAME_MAX + 1];
	uint32_t detect_ms;
	uint32_t sessions, back; /* live sessions it wanted back, and those whose handshake has completed */
	uint32_t first_ms;       /* from the order to the first completed handshake */
	uint32_t took_ms;        /* from the order to the last of them, or to giving up */
	bool over;
};

/* Something that happened there and that people want to read: told once. */
enum { REPORT_EVENTS_MAX = 16 }; /* of one report; the rest follows in the next */
struct report_event {
	char event[PROTO_NAME_MAX + 1]; /* "repaired", "endpoint", ... */
	char text[PROTO_REASON_MAX + 1];
};

/* What keeps it from serving an endpoint as it should, although it could: a check of the user's that fails, or packets
 * that would not be forwarded. */
struct impaired {
	char endpoint[PROTO_NAME_MAX + 1];
	char why[PROTO_REASON_MAX + 1];
};

struct report {
	char gateway[PROTO_NAME_MAX + 1];
	uint64_t boot;
	uint64_t generation; /* whole one it holds; 0: none */
	char hash[65];       /* SHA-256 of desired_encode() of it; "" for none */
	bool fit;            /* could serve: devices, firewall, underlay */
	size_t reason_count; /* why not, or warnings */
	char reasons[PROTO_REASONS_MAX][PROTO_REASON_MAX + 1];
	size_t impaired_count;
	struct impaired impaired[PROTO_ENDPOINTS_MAX]; /* each endpoint once */
	bool leaving;    /* its host is about to go down: what it owns shall move away first */
	int64_t wall_ms; /* its wall clock, for skew */
	size_t seat_count;
	struct seat_state seats[PROTO_ENDPOINTS_MAX];
	size_t standing_count; /* of seats that do not serve: see standing.h */
	struct standing standings[PROTO_ENDPOINTS_MAX];
	size_t heard_count; /* of those that somebody else served last */
	struct hearsay heard[PROTO_ENDPOINTS_MAX];
	bool sessions_whole; /* the list is all there are (first report of a boot, or asked for); else changes
				only */
	size_t session_count;
	struct session *sessions; /* owned */
	size_t unanswered_count;  /* of the tunnels that it serves */
	struct unanswered unanswered[UNANSWERED_REPORT_MAX];
	struct takeover takeover;
	size_t event_count;
	struct report_event events[REPORT_EVENTS_MAX];
	struct drill_result drill;
	size_t moment_count; /* seq rising */
	struct moment moments[MOMENTS_REPORT_MAX];
};

/* Answer to INSTRUCTION_STAGE: POST /v1/agent/staged. */
struct staged {
	char gateway[PROTO_NAME_MAX + 1];
	uint64_t boot;
	uint64_t generation;
	bool ok;
	char error[1024]; /* path and what to do; "" when ok */
};

char *report_encode(const struct report *report); /* caller frees */
int report_decode(const char *json, size_t size, struct report *ret_report, struct err *err);
void report_clear(struct report *report);
/* By its own word, not fenced. */
bool report_serves(const struct report *report, const char *endpoint);

char *staged_encode(const struct staged *staged);
int staged_decode(const char *json, size_t size, struct staged *ret_staged, struct err *err);

#endif
