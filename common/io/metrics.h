/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_METRICS_H
#define HOLDFAST_IO_METRICS_H

#include <stdint.h>

#include "common/base/text.h"

/*
 * Prometheus text exposition format 0.0.4. First the family (HELP and TYPE, once), then its samples. Pure.
 *
 *	metrics_family(out, METRICS_GAUGE, "holdfast_endpoint_owner", "1 if this gateway serves the endpoint.");
 *	metrics_u64(out, "holdfast_endpoint_owner", (const char *const[]){"endpoint", name, NULL}, 1);
 */
enum metrics_type { METRICS_COUNTER, METRICS_GAUGE };

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_family(struct text *out, enum metrics_type type, const char *name, const char *help);
/* labels: name, value, name, value, ..., NULL; or NULL for none. Values are escaped. */
void metrics_u64(struct text *out, const char *name, const char *const *labels, uint64_t value);
void metrics_double(struct text *out, const char *name, const char *const *labels, double value);
/* Milliseconds as the base unit, seconds. */
void metrics_seconds(struct text *out, const char *name, const char *const *labels, int64_t ms);
/* holdfast_build_info{version="..."} and process_* (resident memory, cpu, descriptors) of this process. */
void metrics_process(struct text *out);

#endif
