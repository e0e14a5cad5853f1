/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/core/quick/resolv_conf.h"
#include "node-agent/io/quick/quick_int.h"

/*
 * Name servers of the tunnel: by resolvconf, as wg-quick; where there is none, by systemd-resolved; where that does not
 * run either, in /etc/resolv.conf itself. Those for some domains only (the sidecar's dns_domains) by systemd-resolved if it
 * runs, else by openresolv; Debian's resolvconf and the file know no such thing.
 */
enum { RESOLV_CONF_MAX_BYTES = 1024 * 1024, ARGUMENTS_MAX = 2 * QUICK_DNS_MAX + 8 };
static const char RESOLV_CONF[] = "/etc/resolv.conf", ORDER[] = "/etc/resolvconf/interface-order";

/* ---- resolvconf ---- */

/* Debian's sorts by an order of names: the first pattern of letters and a star there makes ours come first. */
static void choose_name(struct quick *quick, const char *program, char name[QUICK_DNS_NAME_MAX + 1])
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

static char *resolvconf_input(const struct quick_config *config, const struct quick_texts *domains)
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

static int resolvconf_gone(struct quick *quick)
{
	return err_set(quick->err, -ENOENT, "resolvconf has gone since the tunnel came up");
}

static int resolvconf_add(struct quick *quick)
{
	/* For all names and before all others, or private: for the domains that its input searches. */
	const char *whose = quick->sidecar.dns_domains.count ? "-p" : "-x";
	const char *argv[] = {"resolvconf", "-a", quick->journal.dns.name, "-m", "0", whose, NULL};
	CLEANUP_FREE char *input = resolvconf_input(&quick->config, &quick->sidecar.dns_domains);
	char program[PATH_MAX];

	quick_say(quick, QUICK_STEP, "resolvconf -a %s -m 0 %s", quick->journal.dns.name, whose);
	if (quick->options->dry_run)
		return 0;
	if (!quick_has_program("resolvconf", program))
		return resolvconf_gone(quick);
	return quick_run(quick, program, argv, input);
}

static int resolvconf_delete(struct quick *quick)
{
	const char *argv[] = {"resolvconf", "-d", quick->journal.dns.name, "-f", NULL};
	char program[PATH_MAX];

	quick_say(quick, QUICK_STEP, "resolvconf -d %s -f", quick->journal.dns.name);
	if (quick->options->dry_run)
		return 0;
	if (!quick_has_program("resolvconf", program))
		return resolvconf_gone(quick);
	return quick_run(quick, program, argv, NULL);
}

/* ---- systemd-resolved ---- */

static bool resolved_runs(char program[PATH_MAX])
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

static int resolved_add(struct quick *quick)
{
	struct quick_texts domains;
	char program[PATH_MAX];
	int r;

	if (!resolved_runs(program))
		return err_set(quick->err, -ENOENT, "systemd-resolved does not run any more");
	domains = resolved_domains(quick);
	r = resolvectl(quick, program, "dns", &quick->config.dns);
	if (r >= 0)
		r = resolvectl(quick, program, "domain", &domains);
	quick_texts_clear(&domains);
	return r;
}

static int resolved_revert(struct quick *quick)
{
	char program[PATH_MAX];

	if (!resolved_runs(program))
		return 0; /* it forgot when it ended */
	return resolvectl(quick, program, "revert", NULL);
}

/* ---- the file ---- */

/* In place where it can't be replaced: containers mount something over it. */
static int change_file(struct quick *quick, bool add)
{
	CLEANUP_FREE char *before = NULL, *after = NULL;
	char path[PATH_MAX];
	struct stat status;
	int r;

	quick_say(quick, QUICK_STEP, "%s: name servers of %s %s", RESOLV_CONF, quick->name,
		add ? "come" : "go");
	if (quick->options->dry_run)
		return 0;
	if (!realpath(RESOLV_CONF, path) || stat(path, &status) < 0) {
		if (!add || errno != ENOENT)
			return add ? err_set(quick->err, -errno, "%s: %s", RESOLV_CONF, strerror(errno)) : 0;
		text_copy(path, sizeof(path), RESOLV_CONF);
		status.st_mode = 0644;
		before = mem_text("");
	} else {
		r = file_read(path, RESOLV_CONF_MAX_BYTES, &before, NULL, quick->err);
		if (r < 0)
			return r;
	}
	after = add ? quick_resolv_conf_add(before, quick->name, &quick->config.dns, &quick->config.search)
		    : quick_resolv_conf_remove(before, quick->name);
	r = file_write(path, after, strlen(after), status.st_mode & 07777, quick->err);
	return r == -EBUSY || r == -EXDEV ? quick_overwrite(path, before, after, quick->err) : r;
}

/* ---- which ---- */

void quick_dns_state_clear(struct quick_dns_state *state)
{
	free(state->text);
	*state = (struct quick_dns_state){0};
}

static int choose_way(struct quick *quick)
{
	struct quick_journal *journal = &quick->journal;
	char program[PATH_MAX];
	bool split = quick->sidecar.dns_domains.count;

	free(journal->dns.text);
	journal->dns.text = resolvconf_input(&quick->config, &quick->sidecar.dns_domains);
	if (quick_is_elsewhere(quick)) {
		journal->dns.way = QUICK_DNS_NAMESPACE;
		quick_namespace_dns_note(quick);
	} else if (!(split && resolved_runs(program)) && quick_has_program("resolvconf", program)) {
		journal->dns.way = QUICK_DNS_RESOLVCONF;
		choose_name(quick, program, journal->dns.name);
	} else {
		journal->dns.way = resolved_runs(program) ? QUICK_DNS_RESOLVED : QUICK_DNS_FILE;
		text_copy(journal->dns.name, sizeof(journal->dns.name), quick->name);
	}
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

/* Debian's takes options without looking at them, and makes the servers everybody's. */
static int refuse_split(struct quick *quick)
{
	bool debians = quick->journal.dns.way == QUICK_DNS_RESOLVCONF &&
		       access("/run/resolvconf/interface", F_OK) == 0;

	bool inside = quick->journal.dns.way == QUICK_DNS_NAMESPACE;

	if (!quick->sidecar.dns_domains.count ||
		(quick->journal.dns.way != QUICK_DNS_FILE && !debians && !inside))
		return 0;
	quick->journal.dns.way = QUICK_DNS_NONE;
	return err_at(quick->err, -EOPNOTSUPP, quick->sidecar_path, quick->sidecar.dns_domains_place.line,
		quick->sidecar.dns_domains_place.column,
		"dns_domains: %s has no name servers for some domains only: systemd-resolved and openresolv "
		"do",
		inside    ? "a network namespace"
		: debians ? "Debian's resolvconf"
			  : RESOLV_CONF);
}

static int add(struct quick *quick)
{
	switch (quick->journal.dns.way) {
	case QUICK_DNS_NONE:
		return 0;
	case QUICK_DNS_RESOLVCONF:
		return resolvconf_add(quick);
	case QUICK_DNS_RESOLVED:
		return resolved_add(quick);
	case QUICK_DNS_FILE:
		return change_file(quick, true);
	case QUICK_DNS_NAMESPACE:
		return quick_namespace_dns_add(quick);
	}
	return 0;
}

static int set(struct quick *quick)
{
	int r;

	if (quick_is_elsewhere(quick) && !quick->spaces.name[0]) {
		quick_say(quick, QUICK_WARNING,
			"%s has no name of ip-netns(8), so there is no /etc/netns/NAME/resolv.conf: name "
			"servers are left out",
			quick->sidecar.namespace);
		return 0;
	}
	r = choose_way(quick);
	if (r >= 0)
		r = refuse_split(quick);
	return r < 0 ? r : add(quick);
}

/* The next `up` tries again. */
static int go_without(struct quick *quick)
{
	char text[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	quick_say(quick, QUICK_WARNING, "name servers of %s are not set: %s", quick->name,
		err_format(quick->err, text, sizeof(text)));
	*quick->err = (struct err){0};
	quick->status = 0;
	free(quick->journal.dns.text);
	quick->journal.dns.text = NULL; /* so they are not what the file says */
	return 0;
}

int quick_set_dns(struct quick *quick)
{
	int r;

	if (!quick->config.dns.count) /* search domains alone do nothing, as with wg-quick */
		return 0;
	r = set(quick);
	return r < 0 && r != -EINTR && quick->sidecar.dns_optional && !quick->keeping ? go_without(quick) : r;
}

int quick_take_dns_away(struct quick *quick)
{
	switch (quick->journal.dns.way) {
	case QUICK_DNS_NONE:
		return 0;
	case QUICK_DNS_RESOLVCONF:
		return resolvconf_delete(quick);
	case QUICK_DNS_RESOLVED:
		return resolved_revert(quick);
	case QUICK_DNS_FILE:
		return change_file(quick, false);
	case QUICK_DNS_NAMESPACE:
		return quick_namespace_dns_remove(quick);
	}
	return 0;
}

/* What asks for names fails by itself where they were not taken back: a tunnel must go all the same. */
int quick_unset_dns(struct quick *quick)
{
	char text[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	if (quick_take_dns_away(quick) >= 0)
		return 0;
	quick_say(quick, QUICK_WARNING, "name servers of %s: %s", quick->name,
		err_format(quick->err, text, sizeof(text)));
	*quick->err = (struct err){0};
	quick->status = 0;
	return 0;
}

static bool is_set_already(const struct quick *quick)
{
	CLEANUP_FREE char *wanted = resolvconf_input(&quick->config, &quick->sidecar.dns_domains);

	return quick->journal.dns.text && !strcmp(quick->journal.dns.text, wanted);
}

int quick_change_dns(struct quick *quick)
{
	int r = 0;

	if (quick->config.dns.count && is_set_already(quick))
		return 0;
	if (quick->journal.dns.way != QUICK_DNS_NONE)
		r = quick_unset_dns(quick);
	if (r < 0)
		return r;
	quick_dns_state_clear(&quick->journal.dns);
	return quick_set_dns(quick);
}

void quick_restore_dns(struct quick *quick, struct quick_dns_state *before)
{
	struct quick_dns_state *now = &quick->journal.dns;
	int r;

	if (now->way == before->way && quick_dns_is_set(quick))
		return;
	(void)quick_unset_dns(quick);
	quick_dns_state_clear(now);
	*now = *before;
	*before = (struct quick_dns_state){0};
	r = quick_journal_write(quick);
	if (r >= 0)
		r = add(quick);
	if (r < 0)
		(void)go_without(quick);
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

/* systemd-resolved writes down what it was told of a link (resolved-link.c, link_save_user()). */
static bool resolved_has(const struct quick *quick)
{
	CLEANUP_FREE char *text = NULL;
	char path[64];

	if (access("/run/systemd/resolve", F_OK) < 0)
		return true;
	snprintf(path, sizeof(path), "/run/systemd/resolve/netif/%u", quick->journal.ifindex);
	return file_read(path, RESOLV_CONF_MAX_BYTES, &text, NULL, NULL) >= 0 && strstr(text, "SERVERS=");
}

/* systemd's own resolvconf is resolvectl by that name. */
static bool resolvconf_is_resolvectl(void)
{
	char program[PATH_MAX], resolved[PATH_MAX];

	return quick_has_program("resolvconf", program) && realpath(program, resolved) &&
	       !strcmp(strrchr(resolved, '/'), "/resolvectl");
}

static bool file_has(const struct quick *quick)
{
	CLEANUP_FREE char *text = NULL, *without = NULL;

	if (file_read(RESOLV_CONF, RESOLV_CONF_MAX_BYTES, &text, NULL, NULL) < 0)
		return access(RESOLV_CONF, F_OK) == 0;
	without = quick_resolv_conf_remove(text, quick->name);
	return strcmp(text, without) != 0;
}

bool quick_dns_is_set(struct quick *quick)
{
	switch (quick->journal.dns.way) {
	case QUICK_DNS_NONE:
		return true;
	case QUICK_DNS_RESOLVCONF:
		return resolvconf_is_resolvectl() ? resolved_has(quick)
						  : resolvconf_has(quick->journal.dns.name);
	case QUICK_DNS_RESOLVED:
		return resolved_has(quick);
	case QUICK_DNS_FILE:
		return file_has(quick);
	case QUICK_DNS_NAMESPACE:
		return quick_namespace_dns_is_set(quick);
	}
	return true;
}

void quick_guess_dns(struct quick *quick)
{
	const struct quick_texts none = {0};
	char program[PATH_MAX];

	if (quick_is_elsewhere(quick)) {
		quick->journal.dns.way = quick->spaces.name[0] ? QUICK_DNS_NAMESPACE : QUICK_DNS_NONE;
		return;
	}
	if (!quick_has_program("resolvconf", program))
		return;
	quick->journal.dns.way = QUICK_DNS_RESOLVCONF;
	choose_name(quick, program, quick->journal.dns.name);
	if (quick_dns_is_set(quick))
		quick->journal.dns.text = resolvconf_input(&quick->config, &none);
}
