/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_FLEET_H
#define HOLDFAST_CLI_FLEET_H

#include <jansson.h>

#include "common/base/err.h"
#include "common/fleet_files/fleet_files.h"
#include "controller/core/fleet/diagnostics.h"
#include "controller/core/fleet/fleet.h"

/* Where the fleet file is that a person means who names none: fleet.yaml here, else the one in /etc/holdfast. */
const char *fleet_default_path(void);

/* Since 1970, by the wall clock: for `expires`. */
int64_t fleet_now_s(void);

/*
 * Load a fleet file with its includes and check it as the controller will. Errors go to stderr, one a line, as
 * file:line:column: message; warnings likewise, marked as such. 0: *ret_files (and *ret_fleet, unless NULL) are the
 * caller's. -EINVAL: it is wrong, and all has been said. Others: err says why it could not be read.
 */
int fleet_check(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet, struct err *err);
/* The same without the warnings, for whoever only uses a fleet: they are for those who are about to change it. */
int fleet_load(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet, struct err *err);

/* The same, and nothing is printed: what was found is in *ret_diagnostics, which is the caller's to clear in every case. */
int fleet_examine(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics, struct err *err);
/* It as JSON: "valid", "errors" and "warnings", each a list of {"file", "line", "column", "message"}, and how
 * many there are in all. */
void fleet_put_diagnostics(json_t *to, const struct diagnostics *diagnostics);

/*
 * The same with one more file in memory, as if an include: named it: what would become of the fleet. Of what is found only
 * errors are told, and warnings of the addition. -EINVAL: it does not fit, and all has been said.
 */
int fleet_check_with(
	const struct fleet_files *files, const char *name, const char *text, struct fleet **ret_fleet);
/* What PUT /v1/fleet takes: the files with their names, the fleet file first. */
json_t *fleet_bundle(const struct fleet_files *files);
/* The fleet whose files an answer has (GET /v1/fleet, /v1/history/N). It was right once: what a check alone refuses is no
 * mistake of it. -EBADMSG: this version cannot read it, and err names the first mistake. */
int fleet_of_answer(const json_t *answer, struct fleet **ret_fleet, struct err *err);

#endif
