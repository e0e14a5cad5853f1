/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_CONFIG_H
#define HOLDFAST_CONTROLLER_IO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/io/tls.h"

/*
 * controller.yaml. Unknown keys are errors that name the nearest known one; relative paths are relative to the file.
 * What an operator may do stands here and not in the certificate, so that taking it away needs no new certificates.
 */
enum operator_role { OPERATOR_NONE = 0, OPERATOR_VIEWER = 1, OPERATOR_ADMIN = 2 };
enum { CONFIG_OPERATORS_MAX = 1000, CONFIG_DAYS_MAX = 3650, CONFIG_DAYS_DEFAULT = 90 };

struct config_operator {
	char name[TLS_NAME_MAX];
	enum operator_role role;
};

struct config {
	char *path;
	char *listen; /* of the API, HOST:PORT */
	char *ca, *certificate, *key;
	char *authority_certificate, *authority_key; /* NULL: certificates come from elsewhere */
	unsigned authority_days;                     /* how long those that it signs are valid */
	char *store_path;                            /* of the SQLite file */
	char *fleet;                                 /* NULL: no fleet file */
	bool watch; /* the fleet file is what is in force, whenever it changes */
	char *state, *run;
	char *socket; /* RUN/controller.sock */
	char *health_listen;
	char *log; /* what log_configure() takes */
	size_t operator_count;
	struct config_operator *operators; /* owned */
};

/* Errors read controller.yaml:3:5: ... . On success the caller owns *ret_config: config_clear(). */
int config_load(const char *path, struct config *ret_config, struct err *err);
void config_clear(struct config *config);
struct tls_files config_tls(const struct config *config);
/* What the file says of operators by now, and of nothing else; -errno: it is wrong, and nothing changes. */
int config_reload_operators(struct config *config, struct err *err);
enum operator_role config_role(const struct config *config, const char *operator_name);

#endif
