/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_FOLLOW_H
#define HOLDFAST_CONTROLLER_IO_FOLLOW_H

#include "controller/io/config.h"
#include "controller/io/journal/journal.h"

struct event_base;
struct http_server;

/* GET /v1/events?after=SEQ&wait=SECONDS, the long poll included. */
struct follow;

enum { FOLLOW_ANSWER_MAX = 1000, FOLLOW_WAIT_MAX_S = 30 };

/* config and journal must outlive it. It watches the journal. */
struct follow *follow_new(struct event_base *base, const struct config *config, struct journal *journal);
void follow_serve(struct follow *follow, struct http_server *server);
/* After the server: its held requests are told they are gone by that. */
void follow_free(struct follow *follow);

#endif
