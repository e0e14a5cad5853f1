/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"

/*
 * Name servers of the tunnel: by resolvconf, as wg-quick; where there is none, by systemd-resolved; where that does not
 * run either, in /etc/resolv.conf itself. Those for some domains only (the sidecar's dns_domains) by systemd-resolved if it
 * runs, else by openresolv; Debian's resolvconf and the file know no such thing.
 */

static const struct quick_dns_backend *backend_of(const struct quick *quick)
{
	static const struct quick_dns_backend *const backends[] = {
		[QUICK_DNS_NONE] = NULL,
		[QUICK_DNS_RESOLVCONF] = &quick_dns_resolvconf,
		[QUICK_DNS_RESOLVED] = &quick_dns_resolved,
		[QUICK_DNS_FILE] = &quick_dns_file,
		[QUICK_DNS_NAMESPACE] = &quick_dns_namespace,
	};

	return backends[quick->journal.dns.way];
}

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
	journal->dns.text = quick_dns_text(&quick->config, &quick->sidecar.dns_domains);
	if (quick_is_elsewhere(quick)) {
		journal->dns.way = QUICK_DNS_NAMESPACE;
		quick_namespace_dns_note(quick);
	} else if (!(split && quick_resolved_runs(program)) && quick_has_program("resolvconf", program)) {
		journal->dns.way = QUICK_DNS_RESOLVCONF;
		quick_dns_choose_name(quick, program, journal->dns.name);
	} else {
		journal->dns.way = quick_resolved_runs(program) ? QUICK_DNS_RESOLVED : QUICK_DNS_FILE;
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
			  : "/etc/resolv.conf");
}

static int add(struct quick *quick)
{
	const struct quick_dns_backend *backend = backend_of(quick);

	return backend ? backend->add(quick) : 0;
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
	const struct quick_dns_backend *backend = backend_of(quick);

	return backend ? backend->remove(quick) : 0;
}

/* What asks for names fails by itself where they were not taken back: a tunnel must go all the same. But who only has to
 * come again does. */
int quick_unset_dns(struct quick *quick)
{
	char text[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];
	int r = quick_take_dns_away(quick);

	if (r >= 0 || (r == -EAGAIN && quick_found_lock_taken(quick)))
		return r < 0 ? r : 0;
	quick_say(quick, QUICK_WARNING, "name servers of %s: %s", quick->name,
		err_format(quick->err, text, sizeof(text)));
	*quick->err = (struct err){0};
	quick->status = 0;
	return 0;
}

bool quick_dns_is_as_wanted(const struct quick *quick)
{
	CLEANUP_FREE char *wanted = quick_dns_text(&quick->config, &quick->sidecar.dns_domains);

	return quick->journal.dns.text && !strcmp(quick->journal.dns.text, wanted);
}

int quick_change_dns(struct quick *quick)
{
	int r = 0;

	if (quick->config.dns.count && quick_dns_is_as_wanted(quick))
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

bool quick_dns_is_set(struct quick *quick)
{
	const struct quick_dns_backend *backend = backend_of(quick);

	return !backend || backend->has(quick);
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
	quick_dns_choose_name(quick, program, quick->journal.dns.name);
	if (quick_dns_is_set(quick))
		quick->journal.dns.text = quick_dns_text(&quick->config, &none);
}
