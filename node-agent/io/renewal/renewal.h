/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RENEWAL_H
#define HOLDFAST_AGENT_RENEWAL_H

#include "common/authority/lifetime.h"
#include "common/base/err.h"
#include "common/io/tls.h"

struct event_base;

/*
 * The gateway's certificate is renewed at two thirds of its life: a new key, a request for it to the controller, under the
 * old certificate (docs/joining.md), and both files replaced as one. In a thread, since making keys and writing to a disk
 * take longer than a beat. Connections that are made afterwards show the new one; libcurl's live an hour at most.
 */
struct renewal;

/* Texts are copied. Finishes what an earlier life of the agent had begun to replace; what cannot be finished is logged, is the
 * failure below, and what is in force has to do. gateway: whom a new one must name. -ENAMETOOLONG */
int renewal_new(struct event_base *base, const struct tls_files *files, const char *gateway,
	struct renewal **ret_renewal, struct err *err);
void renewal_free(struct renewal *renewal); /* waits for one that is under way; NULL-safe */

/* Now and then, as each second. controller: https://HOST:PORT; NULL: there is no contact with one. */
void renewal_look(struct renewal *renewal, const char *controller);
/* From when to when the certificate on the disk is valid, as seen last; all 0: it could not be read. */
const struct lifetime *renewal_lifetime(const struct renewal *renewal);
/* The same of the authority that has signed it, which nothing renews. */
const struct lifetime *renewal_authority(const struct renewal *renewal);
/* Why the last attempt failed; "" if it did not. */
const char *renewal_failure(const struct renewal *renewal);

#endif
