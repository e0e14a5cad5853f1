/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/device_reader/device_reader.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/worker.h"

struct handle {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct wg *wg;
};

struct handles {
	size_t count;
	struct handle items[PROTO_TUNNELS_MAX];
};

struct job {
	struct handles handles; /* kept from one reading to the next */
	int timeout_ms;
	struct device_read read;
};

struct question {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	int timeout_ms;
};

struct device_reader {
	struct worker *worker;
	struct event *done;
	device_taken *taken;
	void *context;
	size_t count;
	struct question queue[PROTO_TUNNELS_MAX]; /* the first one is being read */
	struct job job;                           /* the worker's until it is taken back */
};

/* ---- in the thread ---- */

static struct handle *find(struct handles *handles, const char *tunnel)
{
	for (size_t i = 0; i < handles->count; i++)
		if (!strcmp(handles->items[i].tunnel, tunnel))
			return &handles->items[i];
	return NULL;
}

static void close_handle(struct handles *handles, struct handle *handle)
{
	wg_close(handle->wg);
	*handle = handles->items[--handles->count];
}

static void close_all(struct handles *handles)
{
	while (handles->count)
		close_handle(handles, &handles->items[0]);
}

static int open_handle(
	struct handles *handles, const char *tunnel, int timeout_ms, struct handle **ret_handle)
{
	struct wg *wg;
	int r;

	*ret_handle = find(handles, tunnel);
	if (*ret_handle) {
		wg_set_timeout((*ret_handle)->wg, timeout_ms);
		return 0;
	}
	r = wg_open(tunnel, WG_TIMEOUT_MS, &wg, NULL);
	if (r < 0)
		return r;
	wg_set_timeout(wg, timeout_ms);
	if (handles->count == PROTO_TUNNELS_MAX)
		close_all(handles); /* of tunnels that have gone */
	*ret_handle = &handles->items[handles->count++];
	text_copy((*ret_handle)->tunnel, sizeof((*ret_handle)->tunnel), tunnel);
	(*ret_handle)->wg = wg;
	return 0;
}

/* What is behind a name may be another device since, of the other kind even: who fails is opened anew the next time. */
static void work(void *context)
{
	struct job *job = context;
	struct device_read *read = &job->read;
	int64_t began_us = clock_now_us();
	struct handle *handle;

	read->began_ms = clock_now_ms();
	read->result = open_handle(&job->handles, read->tunnel, job->timeout_ms, &handle);
	if (read->result >= 0) {
		read->userspace = wg_is_userspace(handle->wg);
		read->result = wg_get(handle->wg, &read->device, NULL);
		if (read->result < 0)
			close_handle(&job->handles, handle);
	}
	read->took_us = clock_now_us() - began_us;
}

/* ---- on the loop ---- */

static void read_next(struct device_reader *reader)
{
	if (!reader->count)
		return;
	reader->job.timeout_ms = reader->queue[0].timeout_ms;
	text_copy(reader->job.read.tunnel, sizeof(reader->job.read.tunnel), reader->queue[0].tunnel);
	worker_give(reader->worker, &reader->job);
}

static void on_done(evutil_socket_t fd, short what, void *context)
{
	struct device_reader *reader = context;
	struct job *job = worker_take(reader->worker);
	struct device_read read;

	(void)fd;
	(void)what;
	if (!job)
		return;
	read = job->read;
	job->read = (struct device_read){0};
	memmove(reader->queue, reader->queue + 1, --reader->count * sizeof(reader->queue[0]));
	read_next(reader);
	reader->taken(&read, reader->context);
	wg_device_clear(&read.device);
}

bool device_reader_is_asked(const struct device_reader *reader, const char *tunnel)
{
	for (size_t i = 0; i < reader->count; i++)
		if (!strcmp(reader->queue[i].tunnel, tunnel))
			return true;
	return false;
}

bool device_reader_ask(struct device_reader *reader, const char *tunnel, int timeout_ms)
{
	struct question *question;

	if (reader->count == PROTO_TUNNELS_MAX || device_reader_is_asked(reader, tunnel))
		return false;
	question = &reader->queue[reader->count++];
	text_copy(question->tunnel, sizeof(question->tunnel), tunnel);
	question->timeout_ms = timeout_ms;
	if (reader->count == 1)
		read_next(reader);
	return true;
}

int device_reader_new(struct event_base *base, device_taken *taken, void *context,
	struct device_reader **ret_reader, struct err *err)
{
	struct device_reader *reader = mem_new(1, sizeof(*reader));
	int r = worker_new(work, &reader->worker, err);

	if (r < 0) {
		free(reader);
		return r;
	}
	reader->taken = taken;
	reader->context = context;
	reader->done = event_new(base, worker_fd(reader->worker), EV_READ | EV_PERSIST, on_done, reader);
	event_add(reader->done, NULL);
	*ret_reader = reader;
	return 0;
}

void device_reader_free(struct device_reader *reader)
{
	if (!reader)
		return;
	event_free(reader->done);
	worker_free(reader->worker);
	wg_device_clear(&reader->job.read.device);
	close_all(&reader->job.handles);
	free(reader);
}
