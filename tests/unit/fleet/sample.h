/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_UNIT_FLEET_SAMPLE_H
#define HOLDFAST_TESTS_UNIT_FLEET_SAMPLE_H

#include <check.h>

#include "common/base/text.h"
#include "controller/core/fleet/compile.h"
#include "controller/core/fleet/read.h"

/* Fleets to test with. What is returned is the caller's. */

/* The .yaml files of a directory below tests/unit/fleet, by name. */
struct sample_files {
	size_t count;
	char **paths;
};
struct sample_files sample_list(const char *directory);
void sample_files_clear(struct sample_files *files);

char *sample_text(const char *path); /* NULL if there is no such file */

/* All diagnostics, a line each, warnings marked, as `holdfast validate` prints them. *ret_fleet is NULL if it is wrong. */
char *sample_read(const struct fleet_source *sources, size_t count, struct fleet **ret_fleet);
char *sample_read_text(const char *name, const char *text, struct fleet **ret_fleet);

/* A right fleet: gw-a, gw-b, endpoint vpn, tunnel wg0 on 51820, no peers; "peers:" may follow. */
extern const char sample_base[];
/* A public key as text: the number's own. */
char *sample_key(unsigned number, char buffer[KEY_TEXT_MAX]);
/* sample_base with `count` peers p0, p1, ... of one address each. */
char *sample_with_peers(size_t count);

/* Compiled for a gateway by name, generation 1, controller ctl. */
struct desired *sample_compile(const struct fleet *fleet, const char *gateway);

#endif
