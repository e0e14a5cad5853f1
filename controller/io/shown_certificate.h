/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_SHOWN_CERTIFICATE_H
#define HOLDFAST_CONTROLLER_IO_SHOWN_CERTIFICATE_H

#include <openssl/types.h>
#include <stdbool.h>

#include "common/authority/lifetime.h"
#include "common/base/cause.h"
#include "common/io/tls.h"

/*
 * The certificate that the API shows. At a start also one that has ended, or is not valid yet: gateways and people refuse
 * the controller then, but it hears beats, root can ask it what is wrong, and another certificate in the file counts at
 * once. Afterwards only one that is in order takes the place of another.
 */
enum { SHOWN_FAILURE_MAX = ERR_WHERE_MAX + ERR_TEXT_MAX };

struct shown_certificate {
	SSL_CTX *tls; /* owned */
	struct lifetime lifetime;
	char failure[SHOWN_FAILURE_MAX]; /* why what is in the files now is not taken; "": it is */
	struct cause told;               /* of that, in the log */
};

/* -errno: there is nothing to show. A wrong date is logged. */
int shown_certificate_load(struct shown_certificate *shown, const struct tls_files *files,
	struct tls_identity *ret_self, struct err *err);
/* Is another in the file than is shown, or none that can be read? */
bool shown_certificate_is_replaced(const struct shown_certificate *shown, const struct tls_files *files);
/* From the files again. -errno: what was shown stays, and `failure` says why. -EPROTO: it is not of `self`. */
int shown_certificate_renew(struct shown_certificate *shown, const struct tls_files *files,
	const struct tls_identity *self, struct err *err);
void shown_certificate_clear(struct shown_certificate *shown);

#endif
