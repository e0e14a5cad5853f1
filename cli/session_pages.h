/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_SESSION_PAGES_H
#define HOLDFAST_CLI_SESSION_PAGES_H

#include <jansson.h>

#include "cli/controller.h"

/* Live sessions (GET /v1/sessions), asked for page by page, as it gives them: added to the list. */
struct session_filter {
	const char *peer, *gateway, *tunnel, *endpoint; /* names; NULL: any */
};
int session_pages_of(const struct controller *controller, const struct session_filter *filter, json_t *list,
	struct err *err);
/* Of all. */
int session_pages(const struct controller *controller, json_t *list, struct err *err);

#endif
