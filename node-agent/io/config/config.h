/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_CONFIG_H
#define HOLDFAST_AGENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "proto/limits.h"

/* agent.yaml: who this gateway is and where its controllers are. Everything else comes from them. Without gateway,
 * controllers and tls the agent belongs to no fleet, and keeps the tunnels of `holdfast up` only. */
enum { CONFIG_CONTROLLERS_MAX = 8, CONFIG_PROGRAMS_MAX = 64, CONFIG_URL_MAX = 255 };

/* What the fleet may run here as root. */
enum config_programs { PROGRAMS_DENY, PROGRAMS_ALLOW, PROGRAMS_LISTED };

struct config {
	char *path;                       /* the file itself, for messages and for paths relative to it */
	char gateway[PROTO_NAME_MAX + 1]; /* "": alone */
	size_t controller_count;
	char *controllers[CONFIG_CONTROLLERS_MAX]; /* https://HOST:PORT, without a path */
	char *ca, *certificate, *key;              /* as seen from the file */
	char *health_listen;                       /* HOST:PORT */
	char *implementation;                      /* of WireGuard: auto, kernel, or a program */
	enum config_programs programs;
	size_t program_count;
	char *program_paths[CONFIG_PROGRAMS_MAX];
	char *state, *run; /* directories */
	char *log;         /* as log_configure() takes it */
};

/* Errors are one line with file, line and column. Free with config_free(). */
int config_load(const char *path, struct config **ret_config, struct err *err);
void config_free(struct config *config); /* NULL-safe */
bool config_is_alone(const struct config *config);
/* May the fleet run this program here? Paths are compared as they are written. */
bool config_allows_program(const struct config *config, const char *path);

/* PORT of a controller's https://HOST:PORT, 443 if it is left out: where it takes requests and, over UDP, datagrams. -EINVAL or
 * -ERANGE if it is no port. */
int config_controller_port(const char *url, uint16_t *ret_port);

#endif
