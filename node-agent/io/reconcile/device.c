/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/reconcile/reconcile_int.h"

/* Talking to a tunnel's device from the loop: never for long, since nobody renews the lease meanwhile. */

/* What wireguard-go takes for a peer, several times over. */
enum { PEER_MS = 2 };

static struct silence *silence_of(struct reconcile *reconcile, const char *tunnel)
{
	struct reconcile_silence *item;

	for (size_t i = 0; i < reconcile->silence_count; i++)
		if (!strcmp(reconcile->silences[i].name, tunnel))
			return &reconcile->silences[i].silence;
	if (reconcile->silence_count == PROTO_TUNNELS_MAX)
		reconcile->silence_count = 0; /* of tunnels that have gone */
	item = &reconcile->silences[reconcile->silence_count++];
	*item = (struct reconcile_silence){0};
	text_copy(item->name, sizeof(item->name), tunnel);
	return &item->silence;
}

static int does_not_answer(const struct silence *silence, const char *tunnel, struct err *err)
{
	return err_set(err, silence_is_sure(silence) ? -ETIMEDOUT : -EINPROGRESS,
		"%s does not answer: its WireGuard program hangs", tunnel);
}

static int conclude(struct silence *silence, const char *tunnel, int r, bool userspace, struct err *err)
{
	if (r != -ETIMEDOUT || !userspace) {
		silence_heard(silence);
		return r;
	}
	silence_missed(silence, clock_now_ms());
	return does_not_answer(silence, tunnel, err);
}

static int open_briefly(struct reconcile *reconcile, const char *tunnel, struct silence *silence,
	int patience_ms, struct wg **ret_wg, struct err *err)
{
	int r;

	if (silence_lasts(silence, clock_now_ms()))
		return does_not_answer(silence, tunnel, err);
	r = reconcile_wg(reconcile, tunnel, ret_wg, err);
	if (r >= 0 && wg_is_userspace(*ret_wg))
		wg_set_timeout(*ret_wg, patience_ms);
	return r;
}

int reconcile_get(
	struct reconcile *reconcile, const char *tunnel, struct wg_device *ret_device, struct err *err)
{
	struct silence *silence = silence_of(reconcile, tunnel);
	struct wg *wg;
	int r = open_briefly(reconcile, tunnel, silence, reconcile->patience_ms, &wg, err);

	return r < 0 ? r : conclude(silence, tunnel, wg_get(wg, ret_device, err), wg_is_userspace(wg), err);
}

int reconcile_set(
	struct reconcile *reconcile, const char *tunnel, const struct wg_change *change, struct err *err)
{
	struct silence *silence = silence_of(reconcile, tunnel);
	int patience_ms = reconcile->patience_ms + PEER_MS * (int)change->peer_count;
	struct wg *wg;
	int r = open_briefly(reconcile, tunnel, silence, patience_ms, &wg, err);

	if (r < 0)
		return r;
	r = conclude(silence, tunnel, wg_set(wg, change, err), wg_is_userspace(wg), err);
	given_changed(&reconcile->given, tunnel, r < 0 ? NULL : change, clock_now_ms());
	return r;
}

bool reconcile_give(
	struct reconcile *reconcile, const char *tunnel, struct wg_device *device, int64_t began_ms)
{
	return given_put(&reconcile->given, tunnel, device, began_ms);
}

bool reconcile_is_given(const struct reconcile *reconcile, const char *tunnel)
{
	return given_is_there(&reconcile->given, tunnel, clock_now_ms());
}

void reconcile_forget_given(struct reconcile *reconcile, const char *tunnel)
{
	given_changed(&reconcile->given, tunnel, NULL, clock_now_ms());
}

bool reconcile_may_ask(struct reconcile *reconcile, const char *tunnel)
{
	return !silence_lasts(silence_of(reconcile, tunnel), clock_now_ms());
}

void reconcile_told(struct reconcile *reconcile, const char *tunnel, int result, bool userspace)
{
	(void)conclude(silence_of(reconcile, tunnel), tunnel, result, userspace, NULL);
}

bool reconcile_is_dead(struct reconcile *reconcile, const char *tunnel)
{
	struct silence *silence = silence_of(reconcile, tunnel);

	if (!silence_is_dead(silence, clock_now_ms()))
		return false;
	silence_heard(silence); /* what is made anew is asked at once */
	return true;
}

int reconcile_patience_ms(const struct reconcile *reconcile)
{
	return reconcile->patience_ms;
}

void reconcile_set_patience(struct reconcile *reconcile, int patience_ms)
{
	reconcile->patience_ms = patience_ms;
}
