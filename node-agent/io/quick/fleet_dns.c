/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/quick/fleet_dns.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/session.h"

enum { PROGRAM_TIMEOUT_MS = 5000, LOCK_TIMEOUT_MS = 5000 };

static void say(enum quick_word word, const char *text)
{
	if (word == QUICK_WARNING)
		log_warning("dns", "warning", log_text("what", text));
	else
		log_info("dns", "apply", log_text("operation", text));
}

/* A directory of its own: what is in the other one are tunnels of `up`. */
static int choose_directory(struct quick *quick)
{
	int length =
		snprintf(quick->directory, sizeof(quick->directory), "%s/dns", quick->options->run_directory);

	if (length >= (int)sizeof(quick->directory) - 64)
		return err_set(quick->err, -ENAMETOOLONG, "run: the path is too long");
	return file_make_directories(quick->directory, 0700, quick->err);
}

static void take_words(struct quick_config *config, const struct texts *dns)
{
	for (size_t i = 0; i < dns->count; i++) {
		struct addr server;
		bool is_server = addr_parse(dns->items[i], &server, NULL) >= 0;

		quick_texts_add(
			is_server ? &config->dns : &config->search, dns->items[i], strlen(dns->items[i]));
	}
}

/* Whatever is set, it is not wholly what the journal says. */
static void forget_text(struct quick *quick)
{
	free(quick->journal.dns.text);
	quick->journal.dns.text = NULL;
}

/* Somebody took them away. */
static void look_at_set(struct quick *quick)
{
	if (!quick_dns_is_set(quick))
		forget_text(quick);
}

/* What is not there any more takes what it was told along: a program that was removed, and systemd-resolved's link. */
static int take_back(struct quick *quick)
{
	bool is_over = quick->journal.dns.way == QUICK_DNS_RESOLVED && !quick->journal.ifindex;
	int r = is_over ? 0 : quick_take_dns_away(quick);

	if (r < 0 && r != -ENOENT)
		return r;
	*quick->err = (struct err){0};
	quick_dns_state_clear(&quick->journal.dns);
	return 0;
}

/* Then who comes again takes back all that there may be of it, also another agent. */
static void note_failure(struct quick *quick)
{
	struct err before = *quick->err;

	if (quick->journal.dns.way == QUICK_DNS_NONE)
		return;
	forget_text(quick);
	(void)quick_journal_write(quick);
	*quick->err = before;
}

static int change(struct quick *quick)
{
	bool was_set = quick->journal.dns.way != QUICK_DNS_NONE;
	int r;

	quick->journal.stage = QUICK_STAGE_UP;
	quick->journal.ifindex = if_nametoindex(quick->name);
	look_at_set(quick);
	if (!quick->config.dns.count && !was_set)
		return 0;
	if (quick->config.dns.count && quick_dns_is_as_wanted(quick))
		return 0;
	r = take_back(quick);
	if (r >= 0)
		r = quick_set_dns(quick);
	if (r < 0)
		note_failure(quick);
	if (r >= 0 && quick->journal.dns.way == QUICK_DNS_NONE)
		quick_journal_remove(quick);
	return r;
}

int quick_fleet_dns_set(const char *run_directory, const char *tunnel, const struct texts *dns, int cancel_fd,
	struct err *err)
{
	struct quick_options options = {.argument = tunnel, .run_directory = run_directory, .say = say};
	struct quick quick;
	int r = quick_begin(&quick, &options, err);

	quick.cancel_fd = cancel_fd;
	quick.child_timeout_ms = PROGRAM_TIMEOUT_MS;
	quick.lock_timeout_ms = LOCK_TIMEOUT_MS;
	(void)text_copy(quick.name, sizeof(quick.name), tunnel);
	take_words(&quick.config, dns);
	if (r >= 0)
		r = choose_directory(&quick);
	if (r >= 0)
		r = quick_journal_read(&quick);
	if (r >= 0)
		r = change(&quick);
	(void)quick_end(&quick, r);
	return r;
}
