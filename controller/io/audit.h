/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_AUDIT_H
#define HOLDFAST_CONTROLLER_IO_AUDIT_H

#include <stddef.h>
#include <stdint.h>

struct controller;
struct http_request;

/*
 * The trail of what people (and the controller by itself) changed or tried to: a row of the store each. That of a generation
 * is written with it (store_add_generation()), all others a moment after the answer, by the store's writer. No bodies and no
 * secrets: the command, what it names, and how it ended.
 */
#define AUDIT_OWN "the controller"

/* Of the refused for want of the right (403), so many are written in a second: each costs a write to the disk. */
enum { AUDIT_REFUSED_PER_SECOND = 10 };

struct audit_limit {
	int64_t second;
	unsigned count;
};

/* status as in HTTP, detail: why not; "" if it was done. */
void audit_add(struct controller *controller, const char *who, const char *what, const char *target,
	int status, const char *detail);

/* What the API's server calls (http_server_options); context is the controller. */
void audit_answered(
	const struct http_request *request, int status, const void *body, size_t size, void *context);

#endif
