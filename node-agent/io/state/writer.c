/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/state/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"

struct state_writer {
	char *directory;
	int fd; /* an eventfd */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t work;
	bool ending, failed;
	struct err err;
	struct state_seats *seats; /* NULL: nothing to write */
	uint64_t number, written;  /* of the seats: the latest given, the latest on disk */
	struct desired *desired;
};

static void note_failure(struct state_writer *writer, int r, const struct err *err)
{
	if (r >= 0)
		return;
	pthread_mutex_lock(&writer->mutex);
	writer->failed = true;
	writer->err = *err;
	pthread_mutex_unlock(&writer->mutex);
}

static void note_written(struct state_writer *writer, uint64_t number)
{
	pthread_mutex_lock(&writer->mutex);
	writer->written = number;
	pthread_mutex_unlock(&writer->mutex);
	eventfd_write(writer->fd, 1);
}

static void write_seats(struct state_writer *writer, const struct state_seats *seats, uint64_t number)
{
	struct err err = {0};
	int r = state_save_seats(writer->directory, seats, &err);

	if (r < 0)
		note_failure(writer, r, &err);
	else
		note_written(writer, number);
}

/* Called and returns with the mutex held, which it lets go meanwhile. */
static void write_out(struct state_writer *writer)
{
	struct state_seats *seats = writer->seats;
	struct desired *desired = writer->desired;
	uint64_t number = writer->number;
	struct err err = {0};

	writer->seats = NULL;
	writer->desired = NULL;
	pthread_mutex_unlock(&writer->mutex);
	if (seats)
		write_seats(writer, seats, number);
	if (desired)
		note_failure(writer, state_save_desired(writer->directory, desired, &err), &err);
	free(seats);
	desired_free(desired);
	pthread_mutex_lock(&writer->mutex);
}

static void *work(void *context)
{
	struct state_writer *writer = context;

	pthread_mutex_lock(&writer->mutex);
	while (!writer->ending || writer->seats || writer->desired) {
		if (writer->seats || writer->desired)
			write_out(writer);
		else
			pthread_cond_wait(&writer->work, &writer->mutex);
	}
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

static int start(struct state_writer *writer)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&writer->thread, &attributes, work, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int state_writer_new(const char *directory, struct state_writer **ret_writer, struct err *err)
{
	struct state_writer *writer = mem_new(1, sizeof(*writer));
	int r;

	writer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (writer->fd < 0) {
		r = -errno;
		free(writer);
		return err_set(err, r, "cannot open an eventfd: raise the limit of open files (ulimit -n)");
	}
	writer->directory = mem_text(directory);
	pthread_mutex_init(&writer->mutex, NULL);
	pthread_cond_init(&writer->work, NULL);
	r = start(writer);
	if (r < 0) {
		close(writer->fd);
		free(writer->directory);
		free(writer);
		return err_set(err, r, "cannot start a thread: raise the limit of processes (ulimit -u)");
	}
	*ret_writer = writer;
	return 0;
}

void state_writer_free(struct state_writer *writer)
{
	if (!writer)
		return;
	pthread_mutex_lock(&writer->mutex);
	writer->ending = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
	pthread_join(writer->thread, NULL);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->mutex);
	close(writer->fd);
	free(writer->directory);
	free(writer);
}

uint64_t state_writer_seats(struct state_writer *writer, const struct state_seats *seats)
{
	struct state_seats *copy = mem_copy(seats, sizeof(*seats));
	uint64_t number;

	pthread_mutex_lock(&writer->mutex);
	number = ++writer->number;
	free(writer->seats);
	writer->seats = copy;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
	return number;
}

int state_writer_fd(const struct state_writer *writer)
{
	return writer->fd;
}

uint64_t state_writer_written(struct state_writer *writer)
{
	eventfd_t events;
	uint64_t written;

	(void)!eventfd_read(writer->fd, &events);
	pthread_mutex_lock(&writer->mutex);
	written = writer->written;
	pthread_mutex_unlock(&writer->mutex);
	return written;
}

void state_writer_desired(struct state_writer *writer, const struct desired *desired)
{
	struct desired *copy = desired_copy(desired), *before;

	pthread_mutex_lock(&writer->mutex);
	before = writer->desired;
	writer->desired = copy;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
	desired_free(before);
}

bool state_writer_failed(struct state_writer *writer, struct err *ret_err)
{
	bool failed;

	pthread_mutex_lock(&writer->mutex);
	failed = writer->failed;
	writer->failed = false;
	if (failed)
		*ret_err = writer->err;
	pthread_mutex_unlock(&writer->mutex);
	return failed;
}
