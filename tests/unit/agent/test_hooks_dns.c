/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cause.h"
#include "common/base/text.h"
#include "node-agent/io/agent/hooks_int.h"
#include "node-agent/io/quick/fleet_dns.h"

/* Name servers of tunnels beside a loop, while what sets them hangs. */

enum { CALLS_MAX = 16, LOOKS = 100 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool hangs;
static atomic_bool fails;
static const char *_Atomic reason = "full";
static char calls[CALLS_MAX][64];
static size_t call_count;

static size_t ended, told;
static const struct hooked *ended_last;
static bool is_hurried; /* timers end at once */

/* For a change, or to look whether it shall end. */
static void wait_a_little(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_cond_timedwait(&changed, &mutex, &until);
}

int __wrap_quick_fleet_dns_set(
	const char *run, const char *tunnel, const struct texts *dns, int cancel_fd, struct err *err);
int __wrap_quick_fleet_dns_set(
	const char *run, const char *tunnel, const struct texts *dns, int cancel_fd, struct err *err)
{
	struct pollfd cancelled = {.fd = cancel_fd, .events = POLLIN};

	(void)run;
	pthread_mutex_lock(&mutex);
	ck_assert_uint_lt(call_count, CALLS_MAX);
	snprintf(calls[call_count++], sizeof(calls[0]), "%s %s", tunnel, dns->count ? dns->items[0] : "none");
	pthread_cond_broadcast(&changed);
	while (hangs && !poll(&cancelled, 1, 0))
		wait_a_little();
	pthread_mutex_unlock(&mutex);
	return fails ? err_set(err, -EIO, "%s", reason) : 0;
}

void __wrap_hooks_dns_ended(struct hooked *hooked);
void __wrap_hooks_dns_ended(struct hooked *hooked)
{
	ended++;
	ended_last = hooked;
}

void __wrap_journal_add(
	struct journal *journal, const char *event, const char *endpoint, const char *format, ...);
void __wrap_journal_add(
	struct journal *journal, const char *event, const char *endpoint, const char *format, ...)
{
	(void)journal;
	(void)event;
	(void)endpoint;
	(void)format;
	told++;
}

static int64_t later_ms;
int64_t __real_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
	return __real_clock_now_ms() + later_ms;
}

int __real_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout)
{
	static const struct timeval at_once;

	return __real_event_add(event, timeout && is_hurried ? &at_once : timeout);
}

static void set_hanging(bool does)
{
	pthread_mutex_lock(&mutex);
	hangs = does;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static void wait_for_calls(size_t count)
{
	pthread_mutex_lock(&mutex);
	while (call_count < count)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static size_t calls_made(void)
{
	size_t count;

	pthread_mutex_lock(&mutex);
	count = call_count;
	pthread_mutex_unlock(&mutex);
	return count;
}

/* ---- three tunnels ---- */

static char run_directory[] = "/run/none";
static struct config config = {.run = run_directory};
static struct agent agent;
static struct hooks hooks;
static struct hooked tunnels[3];

static void begin(void)
{
	static const char *const names[] = {"a", "b", "c"};

	call_count = ended = told = 0;
	is_hurried = false;
	agent.config = &config;
	agent.hooks = &hooks;
	agent.base = event_base_new();
	hooks.dns = hooks_dns_new(&agent);
	for (size_t i = 0; i < 3; i++) {
		tunnels[i].agent = &agent;
		(void)text_copy(tunnels[i].name, sizeof(tunnels[i].name), names[i]);
	}
}

static void end(void)
{
	set_hanging(false);
	hooks_dns_free(hooks.dns);
	event_base_free(agent.base);
}

static void ask(struct hooked *hooked, const char *server, bool waits)
{
	struct texts servers = {0};

	if (server)
		texts_add(&servers, server);
	ck_assert(hooks_dns_set(hooked, &servers, waits));
	texts_clear(&servers);
}

/* Looks come all the time; of each tunnel one is done after that under way, and before them what is waited for. */
START_TEST(one_of_each_tunnel_waits_and_the_awaited_first)
{
	begin();
	set_hanging(true);
	ask(&tunnels[0], "first", false);
	wait_for_calls(1);
	for (int i = 0; i < LOOKS; i++)
		for (size_t j = 0; j < 3; j++)
			ask(&tunnels[j], i + 1 < LOOKS ? "before" : "last", false);
	ask(&tunnels[2], NULL, true);
	set_hanging(false);
	while (calls_made() < 4 || !ended)
		event_base_loop(agent.base, EVLOOP_ONCE);
	end();
	ck_assert_uint_eq(call_count, 4);
	ck_assert_str_eq(calls[0], "a first");
	ck_assert_str_eq(calls[1], "c none");
	ck_assert_str_eq(calls[2], "a last");
	ck_assert_str_eq(calls[3], "b last");
	ck_assert_uint_eq(ended, 1);
	ck_assert_ptr_eq(ended_last, &tunnels[2]);
}
END_TEST

START_TEST(a_wait_has_an_end)
{
	begin();
	set_hanging(true);
	is_hurried = true;
	ask(&tunnels[0], "first", false);
	ask(&tunnels[1], NULL, true);
	while (!ended)
		event_base_loop(agent.base, EVLOOP_ONCE);
	ck_assert_ptr_eq(ended_last, &tunnels[1]);
	ck_assert_uint_eq(told, 1);
	wait_for_calls(1);
	set_hanging(false);
	while (calls_made() < 2)
		event_base_loop(agent.base, EVLOOP_ONCE);
	end();
	ck_assert_str_eq(calls[1], "b none");
	ck_assert_uint_eq(ended, 1);
}
END_TEST

/* The agent ends while it hangs: it is told to stop, and what was not begun is left. */
START_TEST(the_end_waits_for_nothing)
{
	begin();
	set_hanging(true);
	ask(&tunnels[0], "first", false);
	ask(&tunnels[1], "first", false);
	wait_for_calls(1);
	hooks_dns_free(hooks.dns);
	event_base_free(agent.base);
	ck_assert_uint_eq(call_count, 1);
}
END_TEST

/* Of three that were left one is to have some; one cannot be taken back, and is again after a while, not before. */
START_TEST(those_left_are_taken_back)
{
	char directory[] = "/tmp/test-dns-XXXXXX", path[64];
	struct hooked *items[] = {&tunnels[0]};

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/dns", directory);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	for (const char *name = "abc"; *name; name++) {
		snprintf(path, sizeof(path), "%s/dns/%c.json", directory, *name);
		fclose(fopen(path, "w"));
	}
	config.run = directory;
	begin();
	hooks.items = items;
	hooks.count = 1;
	tunnels[0].course.wanted = true;
	texts_add(&tunnels[0].dns, "server");
	fails = true;
	hooks_dns_look(&hooks);
	for (int i = 0; i < LOOKS || told < 2; i++) {
		hooks_dns_look(&hooks);
		event_base_loop(agent.base, told < 2 ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
	}
	ck_assert_uint_eq(calls_made(), 2);
	later_ms = AGENT_SLOW_POLL_MS;
	fails = false;
	hooks_dns_look(&hooks);
	while (calls_made() < 4)
		event_base_loop(agent.base, EVLOOP_ONCE);
	ck_assert(strstr(calls[2], " none") && strstr(calls[3], " none"));
	ck_assert_str_ne(calls[2], calls[3]);
	ck_assert(calls[2][0] != 'a' && calls[3][0] != 'a');
	end();
	texts_clear(&tunnels[0].dns);
	for (const char *name = "abc"; *name; name++) {
		snprintf(path, sizeof(path), "%s/dns/%c.json", directory, *name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/dns", directory);
	rmdir(path);
	rmdir(directory);
}
END_TEST

static void fail_once(const char *why)
{
	size_t before = calls_made();

	reason = why;
	fails = why != NULL;
	ask(&tunnels[0], "server", true);
	for (size_t ends = ended; calls_made() == before || ended == ends;)
		event_base_loop(agent.base, EVLOOP_ONCE);
}

/* As with all that is looked at again and again. */
START_TEST(a_cause_is_told_once_and_each_hour)
{
	begin();
	fail_once("full");
	fail_once("full");
	ck_assert_uint_eq(told, 1);
	fail_once("empty");
	ck_assert_uint_eq(told, 2);
	later_ms = CAUSE_AGAIN_MS - 60000;
	fail_once("empty");
	ck_assert_uint_eq(told, 2);
	later_ms = CAUSE_AGAIN_MS;
	fail_once("empty");
	ck_assert_uint_eq(told, 3);
	fail_once(NULL);
	fail_once("empty");
	ck_assert_uint_eq(told, 4);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent hooks_dns");
	TCase *test = tcase_create("hanging");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(test, 30);
	tcase_add_test(test, one_of_each_tunnel_waits_and_the_awaited_first);
	tcase_add_test(test, a_wait_has_an_end);
	tcase_add_test(test, the_end_waits_for_nothing);
	tcase_add_test(test, those_left_are_taken_back);
	tcase_add_test(test, a_cause_is_told_once_and_each_hour);
	suite_add_tcase(suite, test);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
