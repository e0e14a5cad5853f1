/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/wireguard/userspace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/text.h"
#include "node-agent/io/wireguard/internal.h"
#include "node-agent/io/wireguard/userspace_settings.h"
#include "node-agent/io/wireguard/userspace_unit.h"

enum {
	LIVE_TIMEOUT_MS = 1000, /* to connect to a socket whose program is busy */
	LOOK_EVERY_MS = 5,      /* for the socket, while the program starts */
};

static const char DEFAULT_PROGRAM[] = "wireguard-go";
static const char DEFAULT_PATH[] = "/usr/sbin:/usr/bin:/sbin:/bin";

bool userspace_is_live(const char *name)
{
	int fd = wg_uapi_connect(name, LIVE_TIMEOUT_MS);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* ---- finding ---- */

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

static bool find_in_path(const char *program, char path[USERSPACE_PATH_MAX])
{
	const char *directories = getenv("PATH");
	int length, written;

	if (!directories)
		directories = DEFAULT_PATH;
	for (; *directories; directories += length + (directories[length] == ':')) {
		length = (int)strcspn(directories, ":");
		written = snprintf(path, USERSPACE_PATH_MAX, "%.*s/%s", length, directories, program);
		if (length > 0 && written < USERSPACE_PATH_MAX && is_program(path))
			return true;
	}
	return false;
}

int userspace_find(const char *program, char path[USERSPACE_PATH_MAX], struct err *err)
{
	bool found;

	if (strchr(program, '/'))
		found = text_copy(path, USERSPACE_PATH_MAX, program) && is_program(program);
	else
		found = program[0] && find_in_path(program, path);
	if (found)
		return 0;
	return err_set(err, -ENOENT,
		"there is no program %.200s that can be run: install %s, or set wireguard: { implementation: "
		"... } "
		"in agent.yaml",
		program, strcmp(program, DEFAULT_PROGRAM) == 0 ? "the package wireguard-go" : "it");
}

/* ---- time ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the process ends, or for a moment; without a process, for a moment. */
static void wait_a_moment(int process_fd)
{
	struct pollfd poll_fd = {.fd = process_fd, .events = POLLIN};

	(void)poll(&poll_fd, process_fd < 0 ? 0 : 1, LOOK_EVERY_MS);
}

/* ---- running a program ---- */

struct child {
	pid_t pid; /* 0: it has ended, with status */
	int fd;    /* its pidfd; -1 */
	int status;
};

static void set_up_files(posix_spawn_file_actions_t *files)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		posix_spawn_file_actions_addopen(files, fd, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_addclosefrom_np(files, 3);
	posix_spawn_file_actions_addchdir_np(files, "/");
}

/* A session of its own, and the signals as a fresh process has them. */
static void set_up_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(const char *path, char *const argv[], struct child *child)
{
	const char *search = getenv("PATH"), *level = getenv("LOG_LEVEL");
	char path_variable[USERSPACE_PATH_MAX], level_variable[64];
	char **environment = userspace_settings(2);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r;

	snprintf(path_variable, sizeof path_variable, "PATH=%s", search ? search : DEFAULT_PATH);
	snprintf(level_variable, sizeof level_variable, "LOG_LEVEL=%s", level ? level : "error");
	environment[0] = path_variable;
	environment[1] = level_variable;
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	set_up_files(&files);
	set_up_attributes(&attributes);
	r = posix_spawn(&child->pid, path, &files, &attributes, argv, environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	free(environment);
	if (r > 0)
		return -r;
	child->fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return 0;
}

/* Has it ended? Collects it then. */
static bool has_ended(struct child *child)
{
	if (child->pid == 0)
		return true;
	if (waitpid(child->pid, &child->status, WNOHANG) != child->pid)
		return false;
	child->pid = 0;
	return true;
}

/* It and what it left in its session. */
static void end(struct child *child, pid_t group)
{
	kill(-group, SIGKILL);
	if (child->pid != 0)
		waitpid(child->pid, &child->status, 0);
	child->pid = 0;
}

static void close_child(struct child *child)
{
	if (child->fd >= 0)
		close(child->fd);
}

static int check_status(const char *what, int status, struct err *err)
{
	const char *tun = access("/dev/net/tun", F_OK) < 0 ? "; there is no /dev/net/tun (modprobe tun)" : "";

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, -EIO, "%s was ended by signal %d%s", what, WTERMSIG(status), tun);
	return err_set(err, -EIO, "%s failed with status %d%s", what, WEXITSTATUS(status), tun);
}

/* A program that ends successfully has gone into the background; one that does not may serve from where it is. */
static int wait_for_socket(
	const char *name, const char *what, struct child *child, int64_t deadline_ms, struct err *err)
{
	while (!userspace_is_live(name)) {
		if (has_ended(child) && check_status(what, child->status, err) < 0)
			return -EIO;
		if (now_ms() >= deadline_ms)
			return err_set(err, -ETIMEDOUT, "%s did not answer on its socket in time", what);
		wait_a_moment(child->pid ? child->fd : -1);
	}
	return 0;
}

/* Collect a starter that is about to end; a program that stays in the foreground remains. */
static void collect(struct child *child, int64_t deadline_ms)
{
	int64_t until_ms = now_ms() + 200;

	while (!has_ended(child) && now_ms() < until_ms && now_ms() < deadline_ms)
		wait_a_moment(child->fd);
}

/* ---- starting ---- */

static int start_directly(
	const char *path, const char *program, const char *name, int64_t deadline_ms, struct err *err)
{
	char path_argument[USERSPACE_PATH_MAX], name_argument[IFNAMSIZ], what[128];
	char *argv[] = {path_argument, name_argument, NULL};
	struct child child = {.fd = -1};
	pid_t group;
	int r;

	text_copy(path_argument, sizeof path_argument, path);
	text_copy(name_argument, sizeof name_argument, name);
	snprintf(what, sizeof what, "%.100s %s", program, name);
	r = spawn(path, argv, &child);
	if (r < 0)
		return err_set(err, r, "cannot run %s: %s", path, strerror(-r));
	group = child.pid;
	r = wait_for_socket(name, what, &child, deadline_ms, err);
	if (r < 0)
		end(&child, group);
	else
		collect(&child, deadline_ms);
	close_child(&child);
	if (r < 0)
		wg_uapi_remove_stale(name);
	return r;
}

/* Run a command of systemd's to its end. */
static int run_to_end(const char *command, char *const argv[], int64_t deadline_ms, struct err *err)
{
	char path[USERSPACE_PATH_MAX], what[160];
	struct child child = {.fd = -1};
	pid_t group;
	int r = find_in_path(command, path) ? spawn(path, argv, &child) : -ENOENT;

	if (r < 0)
		return err_set(err, r, "cannot run %s: %s", command, strerror(-r));
	group = child.pid;
	snprintf(what, sizeof what, "%s %s %s", command, argv[1], argv[2]);
	while (!has_ended(&child) && now_ms() < deadline_ms)
		wait_a_moment(child.fd);
	if (child.pid != 0) {
		end(&child, group);
		r = err_set(err, -ETIMEDOUT, "%s did not end in time", what);
	} else {
		r = check_status(what, child.status, err);
	}
	close_child(&child);
	return r;
}

static int start_by_systemd(
	const char *path, const char *program, const char *name, int64_t deadline_ms, struct err *err)
{
	struct child none = {.fd = -1};
	struct userspace_unit unit;
	int r;

	userspace_unit_make(path, name, strcmp(program, DEFAULT_PROGRAM) == 0, &unit);
	r = run_to_end(unit.words[0], unit.words, deadline_ms, err);
	if (r >= 0)
		r = wait_for_socket(name, unit.name, &none, deadline_ms, err);
	userspace_unit_clear(&unit);
	return r;
}

int userspace_start(const char *program, const char *name, int timeout_ms, struct err *err)
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	char path[USERSPACE_PATH_MAX];
	int r = userspace_find(program, path, err);

	if (r < 0)
		return r;
	wg_uapi_remove_stale(name);
	if (access("/run/systemd/system", F_OK) == 0)
		return start_by_systemd(path, program, name, deadline_ms, err);
	return start_directly(path, program, name, deadline_ms, err);
}

/* ---- stopping ---- */

int userspace_wait_gone(const char *name, int timeout_ms)
{
	int64_t deadline_ms = now_ms() + timeout_ms;

	while (userspace_is_live(name)) {
		if (now_ms() >= deadline_ms)
			return -ETIMEDOUT;
		wait_a_moment(-1);
	}
	wg_uapi_remove_stale(name);
	return 0;
}
