/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"

extern char **environ;

int sandbox_skip(const char *why)
{
	printf("skip: %s\n", why);
	return SANDBOX_SKIP;
}

static int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Collect whoever ends until the suite does. */
static int wait_for_suite(pid_t suite)
{
	int status = 0;
	pid_t ended;

	do
		ended = waitpid(-1, &status, 0);
	while (ended != suite && !(ended < 0 && errno != EINTR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* The first process of a process namespace: when it ends, all others in there do. It cannot be traced, which the leak
 * sanitizer needs, so the suite runs in another. */
static int be_first(Suite *suite)
{
	pid_t child;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("proc", "/proc", "proc", 0, NULL) < 0) {
		perror("sandbox: mount");
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0)
		exit(run_suite(suite));
	return child < 0 ? EXIT_FAILURE : wait_for_suite(child);
}

int sandbox_main(Suite *suite)
{
	pid_t child;

	if (geteuid() != 0)
		return sandbox_skip("needs root");
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return sandbox_skip("cannot make namespaces");
	child = fork();
	if (child == 0)
		_exit(be_first(suite));
	/* The suite was the child's to free. */
	_exit(child < 0 ? EXIT_FAILURE : wait_for_suite(child));
}

void sandbox_enter(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir("/run/wireguard", 0700), 0);
	/* /run by its old name; an initramfs may lack it */
	if (mkdir("/var", 0755) == 0 || access("/var/run", F_OK) < 0)
		ck_assert_int_eq(symlink("/run", "/var/run"), 0);
	sandbox_run("ip link set lo up");
}

enum { WORDS_MAX = 64 };

static pid_t spawn_words(const char *command, const posix_spawn_file_actions_t *files)
{
	char text[1024], *words[WORDS_MAX + 1] = {0}, *rest = text;
	size_t count = 0;
	pid_t pid;

	ck_assert(text_copy(text, sizeof text, command));
	while (rest && count < WORDS_MAX)
		words[count++] = strsep(&rest, " ");
	ck_assert_msg(
		posix_spawnp(&pid, words[0], files, NULL, words, environ) == 0, "cannot run %s", words[0]);
	return pid;
}

static void wait_for(pid_t pid, const char *command)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "failed: %s", command);
}

void sandbox_run(const char *command)
{
	wait_for(spawn_words(command, NULL), command);
}

static char *read_all(int fd)
{
	struct text text = {0};
	char buffer[4096];
	ssize_t size;

	while ((size = read(fd, buffer, sizeof buffer)) > 0)
		text_add_bytes(&text, buffer, (size_t)size);
	return text_take(&text);
}

char *sandbox_output(const char *command)
{
	posix_spawn_file_actions_t files;
	int ends[2];
	char *output;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, ends[1], 1);
	posix_spawn_file_actions_addclose(&files, ends[0]);
	pid = spawn_words(command, &files);
	posix_spawn_file_actions_destroy(&files);
	close(ends[1]);
	output = read_all(ends[0]);
	close(ends[0]);
	wait_for(pid, command);
	return output;
}
