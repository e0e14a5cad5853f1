/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/firewall.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/session.h"

/* wg-quick keeps no journal: what its `down` will not know of is said, and taken back where the tunnel can do without. */

static void warn_of_valid_mark(struct quick *quick)
{
	const char *key = quick_parameter_key(QUICK_VALID_MARK),
		   *before = quick->journal.parameters[QUICK_VALID_MARK].before;

	if (before[0])
		quick_say(quick, QUICK_WARNING,
			"%s was %s before %s came up, which needs 1: wg-quick leaves it so; after the last "
			"such "
			"tunnel, `sysctl -w %s=%s`",
			key, before, quick->name, key, before);
}

/* All but forwarding is on the device, and goes with it; but wg-quick would not make it again. */
static void warn_of_sidecar(struct quick *quick)
{
	if (access(quick->sidecar_path, F_OK) == 0)
		quick_say(quick, QUICK_WARNING,
			"%s is nothing to wg-quick: what it says runs until `wg-quick down`, and not after "
			"the next "
			"`wg-quick up`",
			quick->sidecar_path);
}

/* wg-quick removes rules by what the file says and the device holds, and no others. */
static int require_known_rules(struct quick *quick, const struct quick_handover *handover)
{
	const struct plan_world *world = &handover->routing.view.world;

	for (size_t i = 0; i < world->rule_count; i++) {
		bool known = false;

		for (size_t j = 0; j < handover->rule_count; j++)
			known |= plan_rule_equal(&handover->ours[j].rule, &world->rules[i]);
		if (!known)
			return err_set(quick->err, -EINVAL,
				"%s has routing rules that %s does not ask for, and wg-quick would leave "
				"them: "
				"`holdfast up %s` first",
				quick->name, quick->path, quick->name);
	}
	return 0;
}

/* They are on links that are not the tunnel's. */
static int require_no_host_routes(struct quick *quick)
{
	return quick->journal.host_route_count
		       ? err_set(quick->err, -EINVAL,
				 "%s has host routes to its endpoints, and wg-quick would leave them: "
				 "without "
				 "default_route and host_routes in %s, `holdfast up %s` takes them away",
				 quick->name, quick->sidecar_path, quick->name)
		       : 0;
}

/* ---- name servers ---- */

/* Written before and after, as always: interrupted, it is begun again with what is left to do. */
static int move_dns(struct quick *quick, bool to_resolvconf)
{
	int r = quick_take_dns_away(quick);

	if (r < 0 || quick->options->dry_run)
		return r;
	quick_dns_state_clear(&quick->journal.dns);
	r = quick_journal_write(quick);
	return r >= 0 && to_resolvconf ? quick_set_dns(quick) : r;
}

/* Those that nobody would take back go now: without the tunnel they are of no use, and stay for ever. */
static int hand_back_dns(struct quick *quick)
{
	char program[PATH_MAX];
	bool resolvconf = quick_has_program("resolvconf", program);

	switch (quick->journal.dns.way) {
	case QUICK_DNS_NONE:
		return 0;
	case QUICK_DNS_RESOLVCONF:
		if (quick->config.dns.count)
			return 0;
		quick_say(quick, QUICK_WARNING,
			"%s names no name servers any more, so wg-quick would not take those of %s back: "
			"they go now",
			quick->path, quick->name);
		return move_dns(quick, false);
	case QUICK_DNS_RESOLVED:
		quick_say(quick, QUICK_WARNING,
			"name servers of %s were set by resolvectl, and wg-quick only knows resolvconf: they "
			"go with the link%s",
			quick->name, resolvconf ? "" : ", and `wg-quick up` will fail without resolvconf");
		return 0;
	case QUICK_DNS_NAMESPACE: /* refused before */
	case QUICK_DNS_FILE:
		quick_say(quick, QUICK_WARNING,
			"name servers of %s are in /etc/resolv.conf, from where wg-quick would not take them "
			"back: "
			"they go now%s",
			quick->name,
			resolvconf ? ", to resolvconf" : ", and `wg-quick up` will fail without resolvconf");
		return move_dns(quick, resolvconf);
	}
	return 0;
}

/* ---- handing it back ---- */

static int pass(struct quick *quick, struct quick_handover *handover)
{
	struct quick_dns_state dns = quick->journal.dns;
	int r = quick_handover_note(quick, handover, QUICK_STAGE_RELEASING);

	dns.text = mem_text(dns.text);
	if (r >= 0)
		r = quick_handover_pass(quick, handover, false);
	if (r >= 0)
		r = quick_check_signal(quick, 0);
	if (r >= 0)
		r = hand_back_dns(quick);
	if (r >= 0)
		r = quick_undo_forwarding(quick);
	if (r < 0 && !quick->options->dry_run)
		quick_handover_back_to_us(quick, handover, &dns);
	else if (!quick->options->dry_run)
		quick_journal_remove(quick);
	quick_dns_state_clear(&dns);
	return r;
}

static int hand_back(struct quick *quick)
{
	struct quick_handover handover = {.begun = quick_is_between(quick)};
	int r = require_no_host_routes(quick);

	if (r >= 0)
		r = quick_lock_routes(quick);
	if (r >= 0)
		r = quick_handover_look(quick, &handover);
	if (r >= 0)
		r = require_known_rules(quick, &handover);
	if (r >= 0) {
		warn_of_valid_mark(quick);
		warn_of_sidecar(quick);
		r = pass(quick, &handover);
	}
	quick_unlock_routes(quick);
	quick_handover_clear(&handover);
	return r;
}

static int require_no_spaces(struct quick *quick)
{
	if (!quick->journal.target.where && !quick->journal.birth.where)
		return 0;
	return err_set(quick->err, -EOPNOTSUPP,
		"`%s' was made across network namespaces, of which wg-quick knows nothing: it cannot be "
		"handed "
		"back",
		quick->name);
}

static int release(struct quick *quick)
{
	int r = require_no_spaces(quick);

	if (r >= 0)
		r = quick_require_this_link(quick);
	if (r < 0)
		return r;
	switch (quick->journal.stage) {
	case QUICK_STAGE_NONE:
		return err_set(quick->err, -EPERM,
			"`%s' is not holdfast's: there is nothing to hand back (`holdfast adopt %s` takes it "
			"over)",
			quick->name, quick->name);
	case QUICK_STAGE_UP:
	case QUICK_STAGE_ADOPTING:
	case QUICK_STAGE_RELEASING:
		return hand_back(quick);
	case QUICK_STAGE_MAKING:
	case QUICK_STAGE_REMOVING:
		return quick_refuse_half(quick);
	}
	return 0;
}

int quick_release(const struct quick_options *options, struct err *err)
{
	static const struct quick_command command = {.load = quick_load, .work = release};

	return quick_session(options, &command, err);
}
