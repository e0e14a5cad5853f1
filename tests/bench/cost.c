/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command costs: cost COMMAND [ARGUMENT...] prints, as its last line, microseconds and the peak memory in KiB of the largest process among
 * the command and the descendants that were waited for; the status is the command's.
 *
 * A program of its own because a process starts with the peak of the one that it was forked from: Python's would hide ours.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT_RUN = 127 };

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	execvp(command[0], command);
	perror(command[0]);
	_exit(CANNOT_RUN);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int64_t begin_us;
	int status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: cost COMMAND [ARGUMENT...]\n");
		return EXIT_FAILURE;
	}
	begin_us = now_us();
	pid = start(argv + 1);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("cost");
		return EXIT_FAILURE;
	}
	printf("%" PRId64 " %ld\n", now_us() - begin_us, usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
