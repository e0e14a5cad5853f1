/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_FILES_H
#define HOLDFAST_AGENT_QUICK_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "node-agent/core/quick/config.h"
#include "node-agent/core/quick/sidecar.h"

/* NAME.conf and NAME.yaml, as they are and as `up` read them. */

struct quick;

/* ---- find.c, names.c: the file and the names in it. Nothing is changed. ---- */
int quick_find(struct quick *quick);
void quick_warn_if_open(const struct quick *quick, const char *path); /* to the world */
int quick_load(struct quick *quick); /* finds, reads, checks; says the warnings */
int quick_load_for_down(struct quick *quick);
int quick_resolve_names(struct quick *quick);
int quick_service_port(const char *name, uint16_t *ret_port); /* a number, or of /etc/services; -ENOENT */

/* ---- sidecar.c: NAME.yaml ---- */
/* Reads it, if it is there, and the key files that it names, and completes quick->config. */
int quick_load_sidecar(struct quick *quick);

/* ---- copy.c: the file as it was read, without its secrets: what `up` was asked for ---- */
int quick_copy_write(struct quick *quick);
int quick_copy_load(struct quick *quick); /* as quick_load(); -ENOENT: there is none */
void quick_copy_remove(const struct quick *quick);

struct quick_files {
	struct quick_config config;
	struct quick_sidecar sidecar;
};
/* From now on quick has what `up` read, instead of what the files say now; false: there is no copy. Then back again. */
bool quick_files_take_made(struct quick *quick, struct quick_files *ret_now);
void quick_files_leave_made(struct quick *quick, struct quick_files *now);

#endif
