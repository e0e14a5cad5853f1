/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_CONTROL_INT_H
#define HOLDFAST_AGENT_CONTROL_INT_H

#include <event2/event.h>

#include "common/io/http_client.h"
#include "node-agent/io/control/control.h"

enum { CONTROL_URL_MAX = 512 };

struct control {
	struct http_client *client;
	struct control_ops ops;
	void *context;
	size_t url_count, url; /* url: the one in use */
	char **urls;
	uint64_t boot, run, seq; /* run and seq of the last instruction taken in */
	uint64_t store;          /* of the last list of instructions from this url; 0: none yet */
	bool connected;
	bool foreign;                /* the last answer was of another fleet's, and there are others to ask */
	struct addr address;         /* who answered at this url last; without a family: nobody yet */
	int64_t backoff_ms, poll_ms; /* poll_ms: when the poll began */
	char failure[512];
	struct event *retry;          /* ends a backoff */
	struct event *tick;           /* every CONTROL_REPORT_MS */
	struct http_transfer *poll;   /* orders */
	struct http_transfer *report; /* in flight */
	bool report_again;            /* something changed since */
	struct http_transfer *staged; /* in flight */
	char *staged_text;            /* not arrived yet */
};

/* A transfer came back: with its problem, if it had one. Changes connected; on failure starts a backoff. */
void control_succeeded(struct control *control, const struct http_response *response);
void control_calm(struct control *control);
void control_failed(struct control *control, const char *what, const char *text);
/* Tells whose answer it is, whatever its status: only a controller has the certificate, and that one lives; and that we are no
 * gateway of its fleet, if it says that. NULL: a good answer. Else what is wrong with it, in buffer. */
const char *control_take(struct control *control, const struct http_response *response, const struct err *err,
	int expected, char *buffer, size_t size);

void control_poll_start(struct control *control);
void control_report_start(struct control *control);
void control_staged_start(struct control *control);

#endif
