/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/joining/joining.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "common/io/tls.h"

enum { CA_BYTES_MAX = 256 * 1024, MS_PER_SECOND = 1000 };

static void clear_files(struct joining *joining)
{
	authority_clear(&joining->authority);
	free(joining->ca);
	joining->ca = NULL;
}

/* An authority that the gateways do not trust would make certificates that nobody takes. */
static int check_trusted(const struct joining *joining, const struct config *config, struct err *err)
{
	struct err why = {0};
	int r = tls_file_has(config->ca, joining->authority.certificate, &why);
	if (r == -ENOENT)
		return err_at(err, -EINVAL, config->authority_certificate, 0, 0,
			"is not among the authorities in %s: add it there, and on the gateways", config->ca);
	if (r < 0 && err)
		*err = why;
	return r;
}

static int load_files(struct joining *joining, const struct config *config, struct err *err)
{
	char warning[512];
	int r = file_read(config->ca, CA_BYTES_MAX, &joining->ca, NULL, err);
	if (r < 0 || !config->authority_key)
		return r;
	r = authority_load(config->authority_certificate, config->authority_key, &joining->authority, err);
	if (r < 0 || (r = check_trusted(joining, config, err)) < 0)
		return r;
	if (file_secret_is_open(config->authority_key, warning, sizeof warning))
		log_warning("joining", "key-is-open", log_text("text", warning));
	joining->days = config->authority_days;
	return authority_hash(&joining->authority, &joining->authority_hash, err);
}

int joining_reload(struct joining *joining, const struct config *config, struct err *err)
{
	struct joining fresh = {0};
	int r = load_files(&fresh, config, err);
	if (r < 0) {
		clear_files(&fresh);
		return r;
	}
	clear_files(joining);
	joining->authority = fresh.authority;
	joining->authority_hash = fresh.authority_hash;
	joining->ca = fresh.ca;
	joining->days = fresh.days;
	return 0;
}

static void load_invitation(const struct store_invitation *invitation, void *context)
{
	struct joining *joining = context;
	if (invitation->expires_ms > clock_wall_ms())
		invitations_put(&joining->invitations, invitation);
}

static void load_revocation(const struct store_revocation *revocation, void *context)
{
	struct joining *joining = context;
	revocations_put(&joining->revocations, revocation);
}

int joining_start(struct joining *joining, const struct config *config, struct store *store, struct err *err)
{
	attempts_init(&joining->attempts, clock_now_ms());
	int r = joining_reload(joining, config, err);
	if (r < 0 || (r = store_each_invitation(store, load_invitation, joining, err)) < 0)
		return r;
	return store_each_revocation(store, load_revocation, joining, err);
}

void joining_stop(struct joining *joining)
{
	clear_files(joining);
	revocations_clear(&joining->revocations);
}

bool joining_can_sign(const struct joining *joining)
{
	return joining->authority.key != NULL;
}

int joining_certify(
	const struct joining *joining, const char *gateway, EVP_PKEY *key, char **ret_pem, struct err *err)
{
	struct tls_identity identity = {.kind = TLS_KIND_GATEWAY};
	text_copy(identity.name, sizeof identity.name, gateway);
	int64_t revoked_ms = revocations_until(&joining->revocations, &identity);
	if (revoked_ms / MS_PER_SECOND >= clock_wall_ms() / MS_PER_SECOND)
		return err_set(err, -EAGAIN, "%s was revoked just now: try again in a second", gateway);
	return authority_certify(&joining->authority, AUTHORITY_GATEWAY, gateway, key, revoked_ms,
		joining->days, ret_pem, err);
}
