/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_CONTROLLER_H
#define HOLDFAST_CLI_CONTROLLER_H

#include <jansson.h>
#include <limits.h>

#include "cli/command.h"
#include "common/base/err.h"
#include "common/io/http_client.h"

/*
 * The controller a command talks to. Found by --controller, $HOLDFAST_CONTROLLER, ~/.config/holdfast/client.yaml,
 * /etc/holdfast/client.yaml; else, for root, by the socket in /run/holdfast: the controller's, or the agent's, which
 * answers status and events also when every controller is dead. The API is docs/api.md.
 */
struct controller {
	char url[PATH_MAX];                                      /* without a slash at its end */
	char unix_socket[PATH_MAX];                              /* "": TLS */
	char ca[PATH_MAX], certificate[PATH_MAX], key[PATH_MAX]; /* "": none */
};

int controller_find(const struct invocation *invocation, struct controller *ret_controller, struct err *err);

/*
 * One request. body NULL: none. On 0 *ret_json (may be NULL) is the answer, or NULL for an empty one; the caller drops
 * the reference. A refusal prints every error of the problem (RFC 9457) but the last on stderr by itself; err has the
 * last: the caller prints that one as usual.
 */
int controller_call(const struct controller *controller, const char *method, const char *path,
	const json_t *body, unsigned timeout_ms, json_t **ret_json, struct err *err);
/* The same, if the fleet is at that generation (If-Match), or whatever it is at. */
enum { CONTROLLER_ANY_GENERATION = -1 };
int controller_call_at(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, unsigned timeout_ms, json_t **ret_json, struct err *err);
/* The same for what takes as long as it takes: goes_on() is as in common/io/http_client.h. */
int controller_call_while(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, bool (*goes_on)(uint64_t sent, uint64_t size, void *context),
	void *context, json_t **ret_json, struct err *err);

#endif
