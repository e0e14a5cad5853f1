/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_CHECKS_INT_H
#define HOLDFAST_IO_CHECKS_INT_H

#include "common/icmp/icmp.h"
#include "node-agent/core/check/check.h"
#include "node-agent/io/checks/checks.h"
#include "node-agent/io/program/program.h"

/* Inside node-agent/io/checks. checks.c: which there are, and when. ping.c, dial.c, run.c: how each is asked. */

enum { CHECKS_LINE_MAX = 512 }; /* bytes of an HTTP status line */

struct checks_item {
	struct checks *checks; /* whose it is */
	char endpoint[PROTO_NAME_MAX + 1];
	struct desired_check desired;
	struct check check;
	char failure[CHECKS_FAILURE_MAX]; /* of the last question that failed */
	uint16_t sequence;                /* of the open ping */
	int fd;                           /* of the open connection; -1 */
	struct event *event;              /* of fd */
	struct program *program;          /* that runs; NULL */
	bool program_late;                /* it was killed, and has not ended yet */
	size_t line_size;
	char line[CHECKS_LINE_MAX + 1]; /* what has come so far of an answer by HTTP */
};

struct checks {
	struct event_base *base;
	struct checks_ops ops;
	struct icmp *icmp;
	struct programs *programs;
	uint16_t sequence; /* of the last ping */
	struct event *timer, *icmp_events[ICMP_FDS];
	size_t count;
	struct checks_item **items; /* owned, each */
};

/* The open question was answered. failure NULL: well. */
void checks_answer(struct checks_item *item, const char *failure);

/* Ask. NULL: the answer will come; else why it could not be asked. source without a family: the kernel's choice. */
const char *ping_ask(struct checks_item *item, const struct addr *source);
int ping_open(struct checks *checks, struct err *err);
void ping_close(struct checks *checks);

const char *dial_ask(struct checks_item *item, const struct addr *source);
void dial_end(struct checks_item *item);

const char *run_ask(struct checks_item *item);
/* Its question is closed: it has no more to say. */
void run_end(struct checks_item *item);

#endif
