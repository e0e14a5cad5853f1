/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/store/writer.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"

struct task {
	struct writer_job job;
	int result;
	struct err err;
	struct task *next;
};

struct queue {
	struct task *first, **end;
};

struct writer {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t wanted;
	struct queue waiting, finished;
	bool ending;
	int wake_fd; /* eventfd: something is in finished */
	struct event *wake;
};

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct task *task)
{
	task->next = NULL;
	*queue->end = task;
	queue->end = &task->next;
}

static struct task *queue_take(struct queue *queue)
{
	struct task *task = queue->first;
	if (!task)
		return NULL;
	queue->first = task->next;
	if (!queue->first)
		queue->end = &queue->first;
	return task;
}

static struct task *wait_for_task(struct writer *writer)
{
	struct task *task;
	while (!(task = queue_take(&writer->waiting)) && !writer->ending)
		pthread_cond_wait(&writer->wanted, &writer->mutex);
	return task;
}

static void wake_loop(struct writer *writer)
{
	uint64_t one = 1;
	ssize_t written = write(writer->wake_fd, &one, sizeof one);
	(void)written; /* EAGAIN means that it is awake already */
}

static void *writer_run(void *argument)
{
	struct writer *writer = argument;
	struct task *task;
	pthread_mutex_lock(&writer->mutex);
	while ((task = wait_for_task(writer))) {
		pthread_mutex_unlock(&writer->mutex);
		task->result = task->job.write(writer->store, task->job.context, &task->err);
		pthread_mutex_lock(&writer->mutex);
		queue_add(&writer->finished, task);
		wake_loop(writer);
	}
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

static void deliver(struct writer *writer)
{
	struct task *task;
	for (;;) {
		pthread_mutex_lock(&writer->mutex);
		task = queue_take(&writer->finished);
		pthread_mutex_unlock(&writer->mutex);
		if (!task)
			return;
		task->job.done(task->job.context, task->result, &task->err);
		free(task);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof count);
	(void)got;
	(void)what;
	deliver(context);
}

/* Signals are for the loop's thread. */
static int start_thread(struct writer *writer)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = -pthread_create(&writer->thread, NULL, writer_run, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int writer_new(struct event_base *base, struct store *store, struct writer **ret_writer, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return err_set(err, -errno, "eventfd: %s", strerror(errno));
	struct writer *writer = mem_new(1, sizeof *writer);
	writer->store = store;
	writer->wake_fd = fd;
	pthread_mutex_init(&writer->mutex, NULL);
	pthread_cond_init(&writer->wanted, NULL);
	queue_init(&writer->waiting);
	queue_init(&writer->finished);
	writer->wake = event_new(base, fd, EV_READ | EV_PERSIST, on_wake, writer);
	event_add(writer->wake, NULL);
	int r = start_thread(writer);
	if (r < 0) {
		event_free(writer->wake);
		close(fd);
		free(writer);
		return err_set(err, r, "the store's thread: %s", strerror(-r));
	}
	*ret_writer = writer;
	return 0;
}

void writer_add(struct writer *writer, const struct writer_job *job)
{
	struct task *task = mem_new(1, sizeof *task);
	task->job = *job;
	pthread_mutex_lock(&writer->mutex);
	queue_add(&writer->waiting, task);
	pthread_cond_signal(&writer->wanted);
	pthread_mutex_unlock(&writer->mutex);
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	pthread_mutex_lock(&writer->mutex);
	writer->ending = true;
	pthread_cond_signal(&writer->wanted);
	pthread_mutex_unlock(&writer->mutex);
	pthread_join(writer->thread, NULL);
	deliver(writer);
	event_free(writer->wake);
	close(writer->wake_fd);
	pthread_mutex_destroy(&writer->mutex);
	pthread_cond_destroy(&writer->wanted);
	free(writer);
}
