/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"

enum { STACK_BYTES = 512 * 1024 };

struct keeper {
	char *run_directory;
	int fd;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t work;
	bool ending, asked, answered;
	struct keeper_answer answer;
};

/* Called and returns with the mutex held, which it lets go meanwhile. */
static void look(struct keeper *keeper)
{
	struct keeper_answer answer = {0};
	uint64_t one = 1;

	text_copy(answer.name, sizeof(answer.name), keeper->answer.name);
	pthread_mutex_unlock(&keeper->mutex);
	answer.result = quick_keep(keeper->run_directory, answer.name, &answer.kept, &answer.err);
	pthread_mutex_lock(&keeper->mutex);
	keeper->answer = answer;
	keeper->asked = false;
	keeper->answered = true;
	(void)!write(keeper->fd, &one, sizeof(one));
}

static void *work(void *context)
{
	struct keeper *keeper = context;

	pthread_mutex_lock(&keeper->mutex);
	while (!keeper->ending) {
		if (keeper->asked)
			look(keeper);
		else
			pthread_cond_wait(&keeper->work, &keeper->mutex);
	}
	pthread_mutex_unlock(&keeper->mutex);
	return NULL;
}

static int start(struct keeper *keeper)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&keeper->thread, &attributes, work, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int keeper_new(const char *run_directory, struct keeper **ret_keeper, struct err *err)
{
	struct keeper *keeper;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), r;

	if (fd < 0)
		return err_set(err, -errno, "eventfd: %s", strerror(errno));
	keeper = mem_new(1, sizeof(*keeper));
	keeper->fd = fd;
	keeper->run_directory = mem_text(run_directory);
	pthread_mutex_init(&keeper->mutex, NULL);
	pthread_cond_init(&keeper->work, NULL);
	r = start(keeper);
	if (r < 0) {
		close(fd);
		free(keeper->run_directory);
		free(keeper);
		return err_set(err, r, "cannot start a thread: raise the limit of processes (ulimit -u)");
	}
	*ret_keeper = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->mutex);
	keeper->ending = true;
	pthread_cond_signal(&keeper->work);
	pthread_mutex_unlock(&keeper->mutex);
	pthread_join(keeper->thread, NULL);
	pthread_cond_destroy(&keeper->work);
	pthread_mutex_destroy(&keeper->mutex);
	if (keeper->answered)
		quick_kept_clear(&keeper->answer.kept);
	close(keeper->fd);
	free(keeper->run_directory);
	free(keeper);
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->fd;
}

int keeper_look(struct keeper *keeper, const char *name)
{
	int r = -EBUSY;

	pthread_mutex_lock(&keeper->mutex);
	if (!keeper->asked && !keeper->answered) {
		text_copy(keeper->answer.name, sizeof(keeper->answer.name), name);
		keeper->asked = true;
		pthread_cond_signal(&keeper->work);
		r = 0;
	}
	pthread_mutex_unlock(&keeper->mutex);
	return r;
}

bool keeper_next(struct keeper *keeper, struct keeper_answer *ret_answer)
{
	uint64_t count;
	bool answered;

	pthread_mutex_lock(&keeper->mutex);
	(void)!read(keeper->fd, &count, sizeof(count));
	answered = keeper->answered;
	if (answered)
		*ret_answer = keeper->answer;
	keeper->answered = false;
	pthread_mutex_unlock(&keeper->mutex);
	return answered;
}
