/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "storm.h"

#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_PAUSE_US = 200, LONGEST_PAUSE_US = 2000000 };

/* Shared by the two processes. */
struct storm {
	atomic_uint pause_us;
	pid_t process;
};

static _Noreturn void rage(struct storm *storm, void (*make)(unsigned number))
{
	for (unsigned number = 0;; number++) {
		make(number);
		usleep(atomic_load(&storm->pause_us));
	}
}

struct storm *storm_start(void (*make)(unsigned number))
{
	struct storm *storm = mmap(NULL, sizeof *storm, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t process;

	ck_assert(storm != MAP_FAILED);
	atomic_init(&storm->pause_us, FIRST_PAUSE_US);
	process = fork();
	ck_assert_int_ge(process, 0);
	if (process == 0)
		rage(storm, make);
	storm->process = process; /* the storm's own zero must not get here */
	return storm;
}

void storm_soften(struct storm *storm)
{
	unsigned pause_us = atomic_load(&storm->pause_us);

	if (pause_us < LONGEST_PAUSE_US)
		atomic_store(&storm->pause_us, 2 * pause_us);
}

void storm_end(struct storm *storm)
{
	kill(storm->process, SIGKILL);
	waitpid(storm->process, NULL, 0);
	munmap(storm, sizeof *storm);
}
