/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_WAITING_H
#define HOLDFAST_CONTROLLER_IO_WAITING_H

#include "controller/io/store/writer.h"

struct http_request;

/* A request that is answered once the store has written what it asks for; its connection may end before. */
struct waiting {
	struct http_request *request; /* NULL: nobody waits any more */
};

/* The request is held, and the job given to the writer. waiting is within the job's context, which job->done frees. */
void waiting_begin(struct waiting *waiting, struct http_request *request, struct writer *writer,
	const struct writer_job *job);
/* Both for job->done, once. It was written: 200 with that text, which is freed also when nobody waits. */
void waiting_reply(const struct waiting *waiting, char *json_text);
/* It was not: a line in the log, and 500. */
void waiting_fail(
	const struct waiting *waiting, const char *module, const char *event, const struct err *err);

#endif
