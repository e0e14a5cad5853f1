/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_RELOAD_H
#define HOLDFAST_CONTROLLER_IO_RELOAD_H

#include "common/base/err.h"

struct controller;

/* At the start: the generation in the store; when there is none, the fleet file, if the configuration names one. */
int reload_first_fleet(struct controller *controller, struct err *err);
/* Its own certificate, for new connections: it has been replaced. */
void reload_certificate(struct controller *controller);
/* Now and then: if somebody has replaced it, as with one's own PKI. */
void reload_certificate_if_replaced(struct controller *controller);
/* SIGHUP: that, operators: and the authority, and the fleet file applied. What is wrong is logged; nothing of it changes
 * then. */
void reload(struct controller *controller);

#endif
