/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"

enum { STACK_BYTES = 512 * 1024 };

struct worker {
	void (*work)(void *job);
	int fd;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t given;
	bool ending, done;
	void *job; /* NULL: none */
};

/* Called and returns with the mutex held, which it lets go meanwhile. */
static void do_job(struct worker *worker)
{
	void *job = worker->job;

	pthread_mutex_unlock(&worker->mutex);
	worker->work(job);
	pthread_mutex_lock(&worker->mutex);
	worker->done = true;
	eventfd_write(worker->fd, 1);
}

static void *run(void *context)
{
	struct worker *worker = context;

	pthread_mutex_lock(&worker->mutex);
	while (!worker->ending) {
		if (worker->job && !worker->done)
			do_job(worker);
		else
			pthread_cond_wait(&worker->given, &worker->mutex);
	}
	pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

static int start(struct worker *worker)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, &attributes, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

static void destroy(struct worker *worker)
{
	pthread_cond_destroy(&worker->given);
	pthread_mutex_destroy(&worker->mutex);
	close(worker->fd);
	free(worker);
}

int worker_new(void (*work)(void *job), struct worker **ret_worker, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), r;
	struct worker *worker;

	if (fd < 0)
		return err_set(err, -errno, "eventfd: %s", strerror(errno));
	worker = mem_new(1, sizeof(*worker));
	worker->work = work;
	worker->fd = fd;
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->given, NULL);
	r = start(worker);
	if (r < 0) {
		destroy(worker);
		return err_set(err, r, "cannot start a thread: raise the limit of processes (ulimit -u)");
	}
	*ret_worker = worker;
	return 0;
}

void *worker_free(struct worker *worker)
{
	void *job;

	if (!worker)
		return NULL;
	pthread_mutex_lock(&worker->mutex);
	worker->ending = true;
	pthread_cond_signal(&worker->given);
	pthread_mutex_unlock(&worker->mutex);
	pthread_join(worker->thread, NULL);
	job = worker->job;
	destroy(worker);
	return job;
}

int worker_fd(const struct worker *worker)
{
	return worker->fd;
}

bool worker_give(struct worker *worker, void *job)
{
	bool idle;

	pthread_mutex_lock(&worker->mutex);
	idle = !worker->job;
	if (idle)
		worker->job = job;
	pthread_mutex_unlock(&worker->mutex);
	if (idle)
		pthread_cond_signal(&worker->given); /* it wakes to a mutex that is free */
	return idle;
}

void *worker_take(struct worker *worker)
{
	void *job = NULL;
	eventfd_t count;

	pthread_mutex_lock(&worker->mutex);
	(void)eventfd_read(worker->fd, &count);
	if (worker->done) {
		job = worker->job;
		worker->job = NULL;
		worker->done = false;
	}
	pthread_mutex_unlock(&worker->mutex);
	return job;
}
