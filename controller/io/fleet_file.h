/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_FLEET_FILE_H
#define HOLDFAST_CONTROLLER_IO_FLEET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/io/health.h"
#include "controller/io/fleet/lines.h"

struct controller;

/*
 * The fleet file of controller.yaml: applied on SIGHUP, and with `watch: true` whenever it, or a file that it includes, has
 * changed. Then it alone says what the fleet is, and an apply or a rollback that somebody asks for is refused. What is wrong
 * is logged and changes nothing; while it is watched, it is a warning until the next one that is in force, and what was hindered
 * by something else than the files (a gateway that refuses, a confirmation that is awaited) is applied again by and by. Reading is the
 * writer's thread's: a large fleet takes a while.
 */
struct fleet_file;

enum { FLEET_FILE_TEXT_MAX = 1024 };

/* There is a writer. With `watch` it is read soon: it may have changed while there was no controller. */
int fleet_file_new(struct controller *controller, struct fleet_file **ret_file, struct err *err);
void fleet_file_free(struct fleet_file *file); /* NULL-safe */

/* Read and applied, as soon as no apply is under way; without `fleet` nothing happens. who is for the history, and static. */
void fleet_file_read(struct fleet_file *file, const char *who);
/* No apply is under way any more. NULL-safe. */
void fleet_file_resume(struct fleet_file *file);
/* No confirmation is awaited any more: what could not be applied is, if it is watched. NULL-safe. */
void fleet_file_retry(struct fleet_file *file);

/* May somebody else apply or roll back? If not, why, and what to do. A rollback of what awaits a confirmation may be. */
bool fleet_file_permits(const struct fleet_file *file, bool rollback, char *why, size_t size);
/* Warnings. */
void fleet_file_collect(const struct fleet_file *file, struct health *health);

/* In one line: the first mistake, and how many more there are. Returns r. */
int fleet_file_sum_up(const struct lines *errors, int r, struct err *err);
/* Into the log. */
void fleet_file_warn(const struct lines *warnings);

#endif
