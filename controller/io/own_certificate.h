/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_OWN_CERTIFICATE_H
#define HOLDFAST_CONTROLLER_IO_OWN_CERTIFICATE_H

#include <stdbool.h>

#include "common/authority/authority.h"
#include "common/authority/lifetime.h"
#include "controller/io/config.h"

struct event_base;

/*
 * The controller's own certificate. If its own authority (controller.yaml, authority:) has signed it, it is renewed at two
 * thirds of its life, key and all: at a start, or while it runs in a thread, since keys and disks take longer than a beat.
 * From elsewhere, it is only watched.
 */
struct own_certificate;

/* Before anything reads the files: finishes what an earlier life began, and renews what is due, has even ended. A renewal
 * that fails is logged, and what is there has to do; -errno: the files cannot be looked at. */
int own_certificate_prepare(const struct config *config, struct err *err);

/* renewed() when both files have been replaced. config is borrowed. */
void own_certificate_new(struct event_base *base, const struct config *config, void (*renewed)(void *context),
	void *context, struct own_certificate **ret_own);
void own_certificate_free(struct own_certificate *own); /* waits for a renewal under way; NULL-safe */

/* Now and then. authority: borrowed during the call; without a key: there is none. */
void own_certificate_look(struct own_certificate *own, const struct authority *authority);
/* Somebody has asked: a renewal that failed is tried again at the next look, however short ago it was. */
void own_certificate_retry(struct own_certificate *own);
/* Both as on the disk at the last look; all 0: they could not be read. */
const struct lifetime *own_certificate_lifetime(const struct own_certificate *own);
const struct lifetime *own_certificate_authority(const struct own_certificate *own);
/* Why the last renewal failed; "" if it did not, or if none was tried. */
const char *own_certificate_failure(const struct own_certificate *own);

#endif
