/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RECONCILE_H
#define HOLDFAST_AGENT_RECONCILE_H

#include "common/base/err.h"
#include "node-agent/core/plan/plan.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/rtnl/rtnl.h"
#include "node-agent/io/wireguard/wireguard.h"

/*
 * Observe, diff against desired, apply the ordered difference, observe again: the plan engine of
 * node-agent/core/plan on a real kernel. Handles (routing netlink, nftables, WireGuard devices) are opened
 * once and kept, in the network namespace of the one who opens.
 */
struct reconcile;

/* config_path: of agent.yaml, relative key files are beside it. */
int reconcile_open(const char *config_path, const char *implementation, struct reconcile **ret_reconcile,
	struct err *err);
void reconcile_close(struct reconcile *reconcile); /* NULL-safe; what is in the kernel stays */

struct nft *reconcile_nft(struct reconcile *reconcile);
struct rtnl *reconcile_rtnl(struct reconcile *reconcile);
/* The device's handle, opened when needed. -ENODEV: there is no such device. */
int reconcile_wg(struct reconcile *reconcile, const char *tunnel, struct wg **ret_wg, struct err *err);

/*
 * Read and change a tunnel's device from the loop. A userspace program gets patience_ms for an answer (and 2 ms more per
 * peer of a change), and when it fails to answer it is asked less and less often (core/repair/silence.h): until then
 * these fail at once. -EINPROGRESS: it may be a hiccup; -ETIMEDOUT: it does not answer.
 */
enum { RECONCILE_PATIENCE_MS = 150 };
int reconcile_get(
	struct reconcile *reconcile, const char *tunnel, struct wg_device *ret_device, struct err *err);
int reconcile_set(
	struct reconcile *reconcile, const char *tunnel, const struct wg_change *change, struct err *err);
/* For who reads it elsewhere than on the loop: may it be asked now, and what came of it (wg_get()'s result). */
bool reconcile_may_ask(struct reconcile *reconcile, const char *tunnel);
void reconcile_told(struct reconcile *reconcile, const char *tunnel, int result, bool userspace);
/* What was read elsewhere, from began_ms on (monotonic): the next round takes it instead of asking, if it comes soon. Takes *device over.
 * false: the loop has changed it since, so that it is to be read again. */
bool reconcile_give(
	struct reconcile *reconcile, const char *tunnel, struct wg_device *device, int64_t began_ms);
bool reconcile_is_given(const struct reconcile *reconcile, const char *tunnel);
/* Others did something to it. */
void reconcile_forget_given(struct reconcile *reconcile, const char *tunnel);
void reconcile_set_patience(struct reconcile *reconcile, int patience_ms);
int reconcile_patience_ms(const struct reconcile *reconcile);
/* Its device may be another, or none, from now on. */
void reconcile_forget_wg(struct reconcile *reconcile, const char *tunnel);

/* What a run is told; the rest of the facts it finds out. */
struct reconcile_input {
	struct plan_facts facts; /* observed and egress_mtu are filled in by the run */
	const struct fw_ruleset *ruleset;
	const struct nft_seed
		*seeds; /* rights that this gateway holds now, should the fence have to be made */
	size_t seed_count;
	/* Tunnels that this run leaves alone, as they are or are not; borrowed. */
	const char (*apart)[PROTO_INTERFACE_MAX + 1];
	size_t apart_count;
	/* Told of each operation when it was done or has failed; NULL: nobody wants to know. */
	void (*applied)(const struct plan_op *op, bool done, void *context);
	void *applied_context;
};

enum { RECONCILE_FAILURE_MAX = 200 };

struct reconcile_result {
	size_t changed; /* operations done; 0: all was as it shall be */
	size_t failed;  /* operations that failed; each was logged */
	bool fence_was_missing;
	size_t bypasses;                     /* routes that depend on the underlay's */
	char failure[RECONCILE_FAILURE_MAX]; /* the first of them, for a person; "": none */
};

/*
 * One round: observe, plan, apply; each operation is logged. Returns 0 even if operations failed (see the
 * result: the next round tries them again), and -errno if the kernel could not be observed at all (-EINPROGRESS: a
 * device's program did not answer just now; nothing was changed).
 */
int reconcile_run(struct reconcile *reconcile, const struct reconcile_input *input,
	struct reconcile_result *ret_result, struct err *err);

/*
 * Would a run succeed, as far as the kernel can be asked? Nothing is changed. The firewall is tried (nft_try()); the plan is made without a look at
 * peers and routes, and its kernel parameters and IPv6 addresses and routes are held against what this host lets be written. Errors name
 * table, tunnel, interface or parameter, and what to do. -EACCES: IPv6 is off where it is wanted; -EROFS: a parameter cannot be written.
 */
int reconcile_try(struct reconcile *reconcile, const struct reconcile_input *input, struct err *err);

/* The addresses of all interfaces, as the last round saw them: what plan_endpoint_served() wants to know. */
const struct plan_world *reconcile_observed(const struct reconcile *reconcile);

/* Add (or with add false remove) addresses and routes of a world in one batch, whatever is there: the hot
 * path of a takeover and of its end. Returns 0, or the -errno of the first address that failed; all are tried,
 * and routes that fail are logged only. */
int reconcile_served(struct reconcile *reconcile, const struct plan_world *served, bool add, struct err *err);

/* Down and up again: sessions are forgotten, peers and endpoints stay. Routes and IPv6 addresses go with it:
 * run afterwards. */
int reconcile_bounce(struct reconcile *reconcile, const char *tunnel, struct err *err);

#endif
