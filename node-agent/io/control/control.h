/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_CONTROL_H
#define HOLDFAST_AGENT_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/io/tls.h"
#include "proto/instruction.h"
#include "proto/report.h"
#include "proto/stranger.h"

struct event_base;

/*
 * The talk with the controllers (docs/protocol.md): one request for instructions held open, reports at once
 * on change and every second, answers to stages. One controller at a time; when it fails, the next of the
 * list, after 50 ms, doubling to 2 s. A controller that falls silent without a FIN is noticed by the reports.
 */
enum {
	CONTROL_REPORT_MS = 1000,
	CONTROL_BACKOFF_MIN_MS = 50,
	CONTROL_BACKOFF_MAX_MS = 2000,
	CONTROL_CONNECT_TIMEOUT_MS = 1000,
	CONTROL_REPORT_TIMEOUT_MS = 2500,
	CONTROL_POLL_TIMEOUT_MS = 30000, /* the controller answers after 20 s at most */
};

struct control_options {
	const char *const *urls; /* https://HOST:PORT */
	size_t url_count;
	struct tls_files tls;
	uint64_t boot;
};

struct control_ops {
	/* An answer to a poll: the revocation floor of that store's generations (0: none), before its instructions. */
	void (*floor)(void *context, uint64_t store, uint64_t floor);
	/* One instruction, each once, in order. It may take what the instruction owns by setting the pointer to
	 * NULL. */
	void (*instruction)(void *context, struct instruction *instruction);
	/* Fill the next report; the caller clears it. */
	void (*report)(void *context, struct report *report);
	/* The report last filled has arrived, or has not. */
	void (*reported)(void *context, bool arrived);
	/* The controller's fleet knows this gateway not. Told at every such answer. */
	void (*stranger)(void *context, const struct stranger *stranger);
	/* A controller has answered, whatever it said: one with that store (0: neither this answer nor one before it of this
	 * contact tells: it is an older controller, whose lists of instructions do). false: it is another
	 * fleet's. Where there are several, such a one has failed, and nothing that it said is told. */
	bool (*answered)(void *context, uint64_t store);
	/* connected changed. */
	void (*connected)(void *context, bool connected);
};

struct control;

/* Strings of options are copied; ops too. Fails when the TLS files are not in order. */
int control_new(struct event_base *base, const struct control_options *options, const struct control_ops *ops,
	void *context, struct control **ret_control, struct err *err);
void control_free(
	struct control *control); /* NULL-safe, as is asking and hurrying below: an agent may have none */

/* Something changed: report at once (after the one that is under way). */
void control_report_now(struct control *control);
/* Does a controller live? A report leaves now, even during a backoff; one that is under way already asks as much. */
void control_ask(struct control *control);
/* A controller lives and has something for us, by what was heard elsewhere: whatever waits to be tried again is tried now. */
void control_hurry(struct control *control);
/* Answer a stage. Sent again until it arrives or another takes its place. */
void control_staged(struct control *control, const struct staged *staged);

bool control_is_connected(const struct control *control);
/* The controller it talks to, or tries next. */
const char *control_url(const struct control *control);
/* Who answered there last, which is where its name leads. false: nobody has. */
bool control_address(const struct control *control, struct addr *ret_address);
/* Why the last attempt failed; "" if it did not. */
const char *control_failure(const struct control *control);

#endif
