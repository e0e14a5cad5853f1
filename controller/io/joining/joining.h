/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_JOINING_H
#define HOLDFAST_CONTROLLER_IO_JOINING_H

#include <openssl/types.h>

#include "common/authority/authority.h"
#include "controller/io/config.h"
#include "controller/io/joining/attempts.h"
#include "controller/io/joining/invitations.h"
#include "controller/io/joining/revocations.h"

/*
 * What the controller needs to let gateways in and to renew their certificates: the authority, if controller.yaml names
 * its key, the open invitations, and
 * whose certificates do not count any more.
 */
struct joining {
	struct authority authority; /* .key NULL: certificates come from elsewhere */
	struct key authority_hash;
	char *ca; /* what a newcomer shall trust: the text of tls: ca */
	unsigned days;
	struct invitations invitations;
	struct attempts attempts;
	struct revocations revocations;
	uint64_t joined, renewed, refused; /* since the start */
};

/* Reads the files that controller.yaml names, and the open invitations of the store. */
int joining_start(struct joining *joining, const struct config *config, struct store *store, struct err *err);
void joining_stop(struct joining *joining);
/* The files again. Refused: what was read before stays. */
int joining_reload(struct joining *joining, const struct config *config, struct err *err);

bool joining_can_sign(const struct joining *joining);
/* A certificate of gateway NAME for the key of a request, dated after what of that name is revoked. -EAGAIN: that was in this
 * very second, and certificates are dated in seconds. */
int joining_certify(
	const struct joining *joining, const char *gateway, EVP_PKEY *key, char **ret_pem, struct err *err);

#endif
