/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/keeper.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/worker.h"

struct keeper {
	char *run_directory;
	struct worker *worker;
	struct keeper_answer answer; /* the worker's until it is taken back */
	bool asked;
};

static void look(void *job)
{
	struct keeper *keeper = job;
	struct keeper_answer *answer = &keeper->answer;

	answer->result = quick_keep(keeper->run_directory, answer->name, &answer->kept, &answer->err);
}

int keeper_new(const char *run_directory, struct keeper **ret_keeper, struct err *err)
{
	struct keeper *keeper = mem_new(1, sizeof(*keeper));
	int r = worker_new(look, &keeper->worker, err);

	if (r < 0) {
		free(keeper);
		return r;
	}
	keeper->run_directory = mem_text(run_directory);
	*ret_keeper = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	if (worker_free(keeper->worker))
		quick_kept_clear(&keeper->answer.kept);
	free(keeper->run_directory);
	free(keeper);
}

int keeper_fd(const struct keeper *keeper)
{
	return worker_fd(keeper->worker);
}

int keeper_look(struct keeper *keeper, const char *name)
{
	if (keeper->asked)
		return -EBUSY;
	keeper->answer = (struct keeper_answer){0};
	text_copy(keeper->answer.name, sizeof(keeper->answer.name), name);
	keeper->asked = worker_give(keeper->worker, keeper);
	return 0;
}

bool keeper_next(struct keeper *keeper, struct keeper_answer *ret_answer)
{
	if (!worker_take(keeper->worker))
		return false;
	*ret_answer = keeper->answer;
	keeper->asked = false;
	return true;
}
