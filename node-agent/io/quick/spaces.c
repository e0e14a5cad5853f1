/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"

/*
 * The interface's namespace and its socket's. A command works in the interface's from the moment it knows it: links,
 * addresses, rules, kernel parameters, nftables and hooks are all of that one, and whatever is added to a command finds
 * itself there. It goes elsewhere only for what the socket's namespace knows: where the device is made, the ways to the
 * peers, their names.
 */

static const struct netns *of_target(const struct quick_spaces *spaces)
{
	return spaces->target.fd >= 0 ? &spaces->target : &spaces->here;
}

static const struct netns *of_birth(const struct quick_spaces *spaces)
{
	return spaces->birth.fd >= 0 ? &spaces->birth : &spaces->here;
}

int quick_target_fd(const struct quick *quick)
{
	return quick->spaces.apart ? of_target(&quick->spaces)->fd : -1;
}

bool quick_is_elsewhere(const struct quick *quick)
{
	return quick->spaces.elsewhere;
}

bool quick_is_here(const struct quick *quick)
{
	const struct quick_spaces *spaces = &quick->spaces;

	return !spaces->apart && (spaces->target.fd < 0 || netns_same(&spaces->target, &spaces->here));
}

int quick_visit_birth(struct quick *quick, struct netns_visit *ret_visit)
{
	return quick->spaces.apart ? netns_enter(of_birth(&quick->spaces), ret_visit, quick->err) : 0;
}

struct rtnl *quick_birth_rtnl(const struct quick *quick)
{
	return quick->spaces.apart ? quick->spaces.birth_rtnl : quick->rtnl;
}

int quick_live_in_birth(const struct quick *quick, struct err *err)
{
	const struct quick_spaces *spaces = &quick->spaces;
	struct netns_visit for_good;
	int r = spaces->apart ? netns_enter(of_birth(spaces), &for_good, err) : 0;

	if (r >= 0 && spaces->birth_name[0])
		r = netns_unshare_mounts(spaces->birth_name);
	return r < 0 ? err_set(err, r, "network namespace of the socket: %s", strerror(-r)) : 0;
}

/* ---- finding them ---- */

/* *ret_missing: not there (yet, or any more), which is no error. */
static int find(struct quick *quick, const char *where, struct netns *ret_netns, bool *ret_missing)
{
	int r;

	if (!where)
		return 0;
	r = netns_open(where, ret_netns, quick->err);
	*ret_missing = r == -ENOENT;
	return r == -ENOENT ? 0 : r;
}

static bool says_gone(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ESRCH ||
	       r == -EINVAL; /* EINVAL: a file that stood for one */
}

/* The one that it was when the journal was written, wherever it is found now. One that cannot be entered is not gone. */
static int find_again(struct quick *quick, const struct quick_journal_space *space, struct netns *ret_netns,
	bool *ret_missing)
{
	struct netns lost = {.fd = -1, .inode = space->inode, .cookie = space->cookie};
	int r;

	*ret_missing = false;
	if (!space->where)
		return 0;
	r = netns_open(space->where, ret_netns, quick->err);
	if (r < 0 && !says_gone(r))
		return r;
	if (r >= 0) {
		if (!space->inode || netns_same(ret_netns, &lost))
			return 0;
		netns_close(ret_netns);
	}
	*ret_missing = !space->inode || netns_open_inhabited(&lost, ret_netns) < 0;
	return 0;
}

/* ---- going there ---- */

static int open_birth_rtnl(struct quick *quick)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	int r = quick_visit_birth(quick, &visit);

	return r < 0 ? r : rtnl_open(RTNL_TIMEOUT_MS, &quick->spaces.birth_rtnl, quick->err);
}

static void choose_route_directory(struct quick *quick)
{
	const struct quick_spaces *spaces = &quick->spaces;

	text_copy(quick->route_directory, sizeof(quick->route_directory), quick->directory);
	if (spaces->target.fd >= 0 && spaces->target.inode != spaces->here.inode)
		snprintf(quick->route_directory, sizeof(quick->route_directory), "%.*s/net-%llu",
			(int)(strrchr(quick->directory, '/') - quick->directory), quick->directory,
			(unsigned long long)spaces->target.inode);
}

int quick_spaces_settle(struct quick *quick)
{
	struct quick_spaces *spaces = &quick->spaces;
	int r = 0;

	spaces->apart = spaces->missing || !netns_same(of_target(spaces), of_birth(spaces));
	spaces->elsewhere =
		spaces->missing || spaces->name[0] || !netns_same(of_target(spaces), &spaces->here);
	choose_route_directory(quick);
	if (spaces->target.fd >= 0)
		r = netns_enter(&spaces->target, &spaces->visit, quick->err);
	if (r >= 0)
		r = rtnl_open(RTNL_TIMEOUT_MS, &quick->rtnl, quick->err);
	if (r >= 0 && spaces->apart && !spaces->birth_missing)
		r = open_birth_rtnl(quick);
	return r;
}

static void take_names(struct quick_spaces *spaces, const char *target, const char *birth)
{
	if (!target || !netns_name(target, spaces->name))
		spaces->name[0] = '\0';
	if (!birth || !netns_name(birth, spaces->birth_name))
		spaces->birth_name[0] = '\0';
}

int quick_enter_as_asked(struct quick *quick)
{
	struct quick_spaces *spaces = &quick->spaces;
	const char *target = quick->sidecar.namespace, *birth = quick->sidecar.socket_namespace;
	int r;

	quick_spaces_leave(quick);
	take_names(spaces, target, birth);
	r = netns_open_own(&spaces->here, quick->err);
	if (r >= 0)
		r = find(quick, target, &spaces->target, &spaces->missing);
	if (r >= 0)
		r = find(quick, birth, &spaces->birth, &spaces->birth_missing);
	return r < 0 ? r : quick_spaces_settle(quick);
}

int quick_enter_as_made(struct quick *quick)
{
	struct quick_spaces *spaces = &quick->spaces;
	const struct quick_journal *journal = &quick->journal;
	int r;

	if (journal->stage == QUICK_STAGE_NONE)
		return quick_enter_as_asked(quick);
	quick_spaces_leave(quick);
	take_names(spaces, journal->target.where, journal->birth.where);
	r = netns_open_own(&spaces->here, quick->err);
	if (r >= 0)
		r = find_again(quick, &journal->target, &spaces->target, &spaces->missing);
	if (r >= 0)
		r = find_again(quick, &journal->birth, &spaces->birth, &spaces->birth_missing);
	return r < 0 ? r : quick_spaces_settle(quick);
}

/* What was opened there goes with it. */
void quick_spaces_leave(struct quick *quick)
{
	struct quick_spaces *spaces = &quick->spaces;

	quick_unlock_routes(quick);
	wg_close(quick->wg);
	nft_close(quick->nft);
	rtnl_close(quick->rtnl);
	rtnl_close(spaces->birth_rtnl);
	quick->wg = NULL;
	quick->nft = NULL;
	quick->rtnl = NULL;
	netns_leave(&spaces->visit);
	netns_close(&spaces->here);
	netns_close(&spaces->target);
	netns_close(&spaces->birth);
	*spaces = QUICK_SPACES_NONE;
}

/* ---- the journal's ---- */

static void note(struct quick_journal_space *to, const char *where, const struct netns *netns)
{
	free(to->where);
	*to = (struct quick_journal_space){mem_text(where), netns->inode, netns->cookie};
}

void quick_spaces_note(struct quick *quick)
{
	const struct quick_spaces *spaces = &quick->spaces;
	static const struct netns none = {.fd = -1};

	note(&quick->journal.target, quick->sidecar.namespace, spaces->missing ? &none : of_target(spaces));
	note(&quick->journal.birth, quick->sidecar.socket_namespace,
		spaces->birth_missing ? &none : of_birth(spaces));
}

/* One that was killed had made it, and could not note which it is. What the files say by now does not matter. */
void quick_spaces_note_made(struct quick *quick)
{
	const struct netns *target = of_target(&quick->spaces);

	quick->journal.target.inode = target->inode;
	quick->journal.target.cookie = target->cookie;
}

/* ---- may it be made, or changed, there? ---- */

/* -ENOENT; a target that has a name is made instead. */
int quick_require_spaces(struct quick *quick)
{
	const struct quick_spaces *spaces = &quick->spaces;

	if (spaces->missing && !spaces->name[0])
		return err_at(quick->err, -ENOENT, quick->sidecar_path, 0, 0,
			"namespace: there is no network namespace %s", quick->sidecar.namespace);
	if (spaces->birth_missing)
		return err_at(quick->err, -ENOENT, quick->sidecar_path, 0, 0,
			"socket_namespace: there is no network namespace %s%s%s",
			quick->sidecar.socket_namespace,
			spaces->birth_name[0]
				? ": `ip netns add` makes one, and its way to the peers is yours to give it"
				: "",
			"");
	return 0;
}

static int require_same(struct quick *quick, const char *key, const char *asked,
	const struct quick_journal_space *made, const struct netns *here)
{
	CLEANUP_NETNS struct netns found = NETNS_NONE;
	struct netns was = {.fd = -1, .inode = made->inode, .cookie = made->cookie};
	int r = asked ? netns_open(asked, &found, quick->err) : 0;

	if (!asked && !made->where)
		return 0;
	if (r >= 0 && netns_same(asked ? &found : here, &was))
		return 0;
	return err_at(quick->err, -EBUSY, quick->sidecar_path, 0, 0,
		"%s: `%s' is up with %s, not with %s: `holdfast down %s` first", key, quick->name,
		made->where ? made->where : "none", asked ? asked : "none", quick->name);
}

int quick_require_same_spaces(struct quick *quick)
{
	const struct quick_journal *journal = &quick->journal;
	const struct quick_spaces *spaces = &quick->spaces;
	int r;

	if (spaces->birth_missing)
		return err_set(quick->err, -ENOENT,
			"the network namespace of the socket of `%s' (%s) is gone: `holdfast down %s` first",
			quick->name, journal->birth.where, quick->name);
	r = require_same(quick, "namespace", quick->sidecar.namespace, &journal->target, &spaces->here);
	return r < 0 ? r
		     : require_same(quick, "socket_namespace", quick->sidecar.socket_namespace,
			       &journal->birth, &spaces->here);
}
