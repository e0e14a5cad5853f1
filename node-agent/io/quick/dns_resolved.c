/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/session.h"

/* Name servers by systemd-resolved, which forgets them with the link. */
enum { ARGUMENTS_MAX = 2 * QUICK_DNS_MAX + 8, STATE_MAX_BYTES = 1024 * 1024 };

bool quick_resolved_runs(char program[PATH_MAX])
{
	return access("/run/systemd/resolve", F_OK) == 0 && quick_has_program("resolvectl", program);
}

static int resolvectl(
	struct quick *quick, const char *program, const char *verb, const struct quick_texts *words)
{
	const char *argv[ARGUMENTS_MAX] = {"resolvectl", verb, quick->name};
	size_t count = 3;
	struct text text = {0};
	int r = 0;

	for (size_t i = 0; words && i < words->count && count < ARGUMENTS_MAX - 1; i++)
		argv[count++] = words->items[i];
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%s%s", i ? " " : "", argv[i]);
	quick_say(quick, QUICK_STEP, "%s", text.data);
	text_clear(&text);
	if (!quick->options->dry_run)
		r = quick_run(quick, program, argv, NULL);
	return r;
}

/* "~." sends all questions to these servers, "~corp.example" those that end so; domains without ~ are searched, too. */
static struct quick_texts resolved_domains(const struct quick *quick)
{
	const struct quick_texts *domains = &quick->sidecar.dns_domains, *search = &quick->config.search;
	struct quick_texts words = {0};
	char word[QUICK_NAME_MAX + 2];

	if (!domains->count)
		quick_texts_add(&words, "~.", 2);
	for (size_t i = 0; i < domains->count; i++) {
		int length = snprintf(word, sizeof(word), "~%s", domains->items[i]);

		quick_texts_add(&words, word, (size_t)length);
	}
	for (size_t i = 0; i < search->count; i++)
		quick_texts_add(&words, search->items[i], strlen(search->items[i]));
	return words;
}

static int add(struct quick *quick)
{
	struct quick_texts domains;
	char program[PATH_MAX];
	int r;

	if (!quick_resolved_runs(program))
		return err_set(quick->err, -ENOENT, "systemd-resolved does not run any more");
	domains = resolved_domains(quick);
	r = resolvectl(quick, program, "dns", &quick->config.dns);
	if (r >= 0)
		r = resolvectl(quick, program, "domain", &domains);
	quick_texts_clear(&domains);
	return r;
}

static int revert(struct quick *quick)
{
	char program[PATH_MAX];

	if (!quick_resolved_runs(program))
		return 0; /* it forgot when it ended */
	return resolvectl(quick, program, "revert", NULL);
}

/* systemd-resolved writes down what it was told of a link (resolved-link.c, link_save_user()). */
static bool has(const struct quick *quick)
{
	CLEANUP_FREE char *text = NULL;
	char path[64];

	if (access("/run/systemd/resolve", F_OK) < 0)
		return true;
	snprintf(path, sizeof(path), "/run/systemd/resolve/netif/%u", quick->journal.ifindex);
	return file_read(path, STATE_MAX_BYTES, &text, NULL, NULL) >= 0 && strstr(text, "SERVERS=");
}

const struct quick_dns_backend quick_dns_resolved = {add, revert, has};
