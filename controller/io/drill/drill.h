/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_DRILL_H
#define HOLDFAST_CONTROLLER_IO_DRILL_H

#include "common/base/err.h"
#include "proto/report.h"

struct controller;
struct drill;

/*
 * `holdfast drill`: an endpoint moves to a standby that is ready, and back, while its gateways ping the clients and count the
 * answers. One at a time. Whatever happens on the way there, it goes back if it can.
 */
typedef void drill_done(
	char *result, bool clean, void *context); /* result: JSON, docs/api.md; the callee's to free */

/* to: the standby, or "": the first that is ready. -ENOENT, or -EBUSY with a sentence: nobody is ready, moves are frozen. done()
 * is called once, later. */
int drill_start(struct controller *controller, const char *endpoint, const char *to, drill_done *done,
	void *context, struct err *err);
/* Whoever asked has gone: it goes on, and the events tell its result. */
void drill_forget_asker(struct drill *drill);
void drill_take_report(struct controller *controller, const char *gateway, const struct report *report);
void drill_free(struct drill *drill); /* NULL-safe; it stays where it is */

#endif
