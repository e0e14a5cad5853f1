/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/session.h"

/* Name servers by resolvconf: Debian's, openresolv, or systemd's resolvectl by that name. */
static const char ORDER[] = "/etc/resolvconf/interface-order";

/* Debian's sorts by an order of names: the first pattern of letters and a star there makes ours come first. */
void quick_dns_choose_name(struct quick *quick, const char *program, char name[QUICK_DNS_NAME_MAX + 1])
{
	FILE *file = fopen(ORDER, "re");
	char line[QUICK_DNS_NAME_MAX] = "";
	struct stat status;
	size_t length = 0;

	if (file && (lstat(program, &status) < 0 || !S_ISLNK(status.st_mode)))
		while (!length && fgets(line, sizeof(line), file)) {
			line[strcspn(line, "\n")] = '\0';
			length = strspn(
				line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
			if (strcmp(line + length, "*") != 0)
				length = 0;
		}
	if (file)
		fclose(file);
	snprintf(name, QUICK_DNS_NAME_MAX + 1, "%.*s%s%s", (int)(length > 40 ? 40 : length), line,
		length ? "." : "", quick->name);
}

char *quick_dns_text(const struct quick_config *config, const struct quick_texts *domains)
{
	struct text text = {0};

	for (size_t i = 0; i < config->dns.count; i++)
		text_add(&text, "nameserver %s\n", config->dns.items[i]);
	for (size_t i = 0; i < config->search.count; i++)
		text_add(&text, "%s%s", i ? " " : "search ", config->search.items[i]);
	for (size_t i = 0; i < domains->count; i++)
		text_add(&text, "%s%s", i || config->search.count ? " " : "search ", domains->items[i]);
	if (config->search.count || domains->count)
		text_add(&text, "\n");
	return text_take(&text);
}

static int gone(struct quick *quick)
{
	return err_set(quick->err, -ENOENT, "resolvconf has gone since the tunnel came up");
}

static int add(struct quick *quick)
{
	/* For all names and before all others, or private: for the domains that its input searches. */
	const char *whose = quick->sidecar.dns_domains.count ? "-p" : "-x";
	const char *argv[] = {"resolvconf", "-a", quick->journal.dns.name, "-m", "0", whose, NULL};
	CLEANUP_FREE char *input = quick_dns_text(&quick->config, &quick->sidecar.dns_domains);
	char program[PATH_MAX];

	quick_say(quick, QUICK_STEP, "resolvconf -a %s -m 0 %s", quick->journal.dns.name, whose);
	if (quick->options->dry_run)
		return 0;
	if (!quick_has_program("resolvconf", program))
		return gone(quick);
	return quick_run(quick, program, argv, input);
}

static int delete (struct quick *quick)
{
	const char *argv[] = {"resolvconf", "-d", quick->journal.dns.name, "-f", NULL};
	char program[PATH_MAX];

	quick_say(quick, QUICK_STEP, "resolvconf -d %s -f", quick->journal.dns.name);
	if (quick->options->dry_run)
		return 0;
	if (!quick_has_program("resolvconf", program))
		return gone(quick);
	return quick_run(quick, program, argv, NULL);
}

/* ---- are they still there? ---- */

/* Debian's resolvconf, and openresolv before and after 3.13: a file for each that told it something. */
static bool resolvconf_has(const char *name)
{
	static const char *const directories[] = {
		"/run/resolvconf/interface", "/run/resolvconf/interfaces", "/run/resolvconf/keys"};
	char path[PATH_MAX];
	bool known = false;

	for (size_t i = 0; i < ARRAY_COUNT(directories); i++) {
		known |= access(directories[i], F_OK) == 0;
		snprintf(path, sizeof(path), "%s/%s", directories[i], name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return !known;
}

/* systemd's own resolvconf is resolvectl by that name. */
static bool resolvconf_is_resolvectl(void)
{
	char program[PATH_MAX], resolved[PATH_MAX];

	return quick_has_program("resolvconf", program) && realpath(program, resolved) &&
	       !strcmp(strrchr(resolved, '/'), "/resolvectl");
}

static bool has(const struct quick *quick)
{
	return resolvconf_is_resolvectl() ? quick_dns_resolved.has(quick)
					  : resolvconf_has(quick->journal.dns.name);
}

const struct quick_dns_backend quick_dns_resolvconf = {add, delete, has};
