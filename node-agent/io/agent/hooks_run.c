/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/hook/line.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/io/agent/hooks_int.h"
#include "node-agent/io/checks/checks.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/hook.h"
#include "node-agent/io/stage/hook.h"

enum { VARIABLE_MAX = 32 + PROTO_NAME_MAX };

static void run_line(struct hooked *hooked);

/* ---- name servers ---- */

/* True: it is waited for. */
static bool take_dns_back(struct hooked *hooked)
{
	static const struct texts none;

	return hooked->dns.count && hooks_dns_set(hooked, &none, true);
}

/* ---- the end ---- */

/* In the middle of a look there is no need of another. */
static void finish(struct hooked *hooked, bool well)
{
	course_ended(&hooked->course, well, clock_now_ms());
	hooks_record(hooked);
	if (!hooked->agent->hooks->looking)
		agent_look_soon(hooked->agent);
}

/* All of them, or up to one that failed. Its name servers go before the interface does, as with `down`. */
static void all_ended(struct hooked *hooked, bool well)
{
	texts_clear(&hooked->running);
	if (hooked->hook == HOOK_PRE_DOWN && take_dns_back(hooked))
		return;
	finish(hooked, well);
}

static void line_failed(struct hooked *hooked, const char *line, const char *why)
{
	const char *key = desired_hook_names[hooked->hook];
	struct err err = {0};

	(void)err_set(&err, -ECHILD, "%.80s: %s", line, why);
	if (hooked->hook != HOOK_PRE_UP || cause_is_news(&hooked->told, &err, clock_now_ms()))
		journal_add(&hooked->agent->journal, "hook-failed", NULL, "%s: %s: %s", hooked->name, key,
			err.text);
	if (hooked->hook == HOOK_PRE_UP)
		(void)snprintf(hooked->failure, sizeof(hooked->failure),
			"tunnel %s is not made, for its %s failed: %.60s: %s", hooked->name, key, line, why);
	all_ended(hooked, false);
}

static void on_ended(const char *failure, void *context)
{
	struct hooked *hooked = context;
	const char *line = hooked->running.items[hooked->at];

	hooked->program = NULL;
	if (failure) {
		line_failed(hooked, line, failure);
		return;
	}
	log_info("hook", "ran", log_text("tunnel", hooked->name),
		log_text("hook", desired_hook_names[hooked->hook]), log_text("line", line));
	hooked->at++;
	run_line(hooked);
}

/* ---- a line ---- */

static int start(struct hooked *hooked, const char *path, const char *const *words, struct err *err)
{
	char gateway[VARIABLE_MAX], interface[VARIABLE_MAX];
	const char *const environment[] = {CHECKS_PATH, "LC_ALL=C", gateway, interface, NULL};
	int64_t left_ms = hooked->until_ms - clock_now_ms();
	struct program_start how = {.path = path,
		.words = words,
		.environment = environment,
		.deadline_ms = left_ms > 0 ? left_ms : 1};

	(void)snprintf(gateway, sizeof(gateway), "HOLDFAST_GATEWAY=%s", hooked->agent->config->gateway);
	(void)snprintf(interface, sizeof(interface), "INTERFACE=%s", hooked->name);
	return program_start(hooked->agent->hooks->programs, &how, on_ended, hooked, &hooked->program, err);
}

static int start_plain(struct hooked *hooked, const char *line, struct err *err)
{
	struct texts words = {0};
	const char **argv;
	int r;

	hook_line_words(line, &words);
	argv = mem_new(words.count + 1, sizeof(*argv));
	for (size_t i = 0; i < words.count; i++)
		argv[i] = words.items[i];
	r = start(hooked, argv[0], argv, err);
	free(argv);
	texts_clear(&words);
	return r;
}

static int start_shell(struct hooked *hooked, const char *line, struct err *err)
{
	const char *words[QUICK_HOOK_WORDS];
	char bash[PATH_MAX];

	if (!quick_has_program("bash", bash))
		return err_set(err, -ENOENT, "there is no bash");
	quick_hook_words(hooked->name, line, words);
	return start(hooked, bash, words, err);
}

/* agent.yaml may be another than when the generation was staged. */
static int start_line(struct hooked *hooked, const char *line, struct err *err)
{
	CLEANUP_FREE char *text = quick_hook_text(line, hooked->name);
	int r = stage_check_hook(hooked->agent->config, hooked->name, hooked->hook, line, err);

	if (r < 0)
		return r;
	return hook_line_is_plain(text) ? start_plain(hooked, text, err) : start_shell(hooked, text, err);
}

static void run_line(struct hooked *hooked)
{
	const char *line = hooked->at < hooked->running.count ? hooked->running.items[hooked->at] : NULL;
	struct err err = {0};

	if (!line)
		all_ended(hooked, true);
	else if (start_line(hooked, line, &err) < 0)
		line_failed(hooked, line, err.text);
}

/* They are there before post_up, as with `up`, and are gone before post_down, should the interface have gone by itself. */
static bool begin_with_dns(struct hooked *hooked)
{
	hooked->dns_look_ms = clock_now_ms() + AGENT_SLOW_POLL_MS;
	if (hooked->hook == HOOK_POST_UP)
		return hooked->dns.count && hooks_dns_set(hooked, &hooked->dns, true);
	return hooked->hook == HOOK_POST_DOWN && take_dns_back(hooked);
}

void hooks_run(struct hooked *hooked)
{
	while (course_next(&hooked->course, &hooked->hook)) {
		if (hooked->hook == HOOK_PRE_UP)
			hooked->failure[0] = '\0';
		hooked->at = 0;
		hooked->until_ms = clock_now_ms() + HOOKS_DEADLINE_MS;
		texts_copy(&hooked->running, &hooked->lines[hooked->hook]);
		hooks_record(hooked);
		if (!begin_with_dns(hooked))
			run_line(hooked);
	}
}

void hooks_dns_ended(struct hooked *hooked)
{
	hooked->until_ms = clock_now_ms() + HOOKS_DEADLINE_MS;
	if (hooked->hook == HOOK_PRE_DOWN)
		finish(hooked, true);
	else
		run_line(hooked);
}
