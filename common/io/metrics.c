/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/metrics.h"

#include <inttypes.h>
#include <math.h>

static void add_escaped(struct text *out, const char *value, bool quotes)
{
	for (const char *p = value; *p; p++) {
		if (*p == '\n')
			text_add_bytes(out, "\\n", 2);
		else if (*p == '\\' || (quotes && *p == '"'))
			text_add(out, "\\%c", *p);
		else
			text_add_bytes(out, p, 1);
	}
}

static const char *type_text(enum metrics_type type)
{
	switch (type) {
	case METRICS_COUNTER:
		return "counter";
	case METRICS_GAUGE:
		return "gauge";
	}
	return "untyped";
}

void metrics_family(struct text *out, enum metrics_type type, const char *name, const char *help)
{
	text_add(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	text_add(out, "\n# TYPE %s %s\n", name, type_text(type));
}

static void add_series(struct text *out, const char *name, const char *const *labels)
{
	text_add(out, "%s", name);
	if (!labels || !labels[0])
		return;
	for (size_t i = 0; labels[i]; i += 2) {
		text_add(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i]);
		add_escaped(out, labels[i + 1], true);
		text_add(out, "\"");
	}
	text_add(out, "}");
}

void metrics_u64(struct text *out, const char *name, const char *const *labels, uint64_t value)
{
	add_series(out, name, labels);
	text_add(out, " %" PRIu64 "\n", value);
}

void metrics_double(struct text *out, const char *name, const char *const *labels, double value)
{
	add_series(out, name, labels);
	if (isnan(value))
		text_add(out, " NaN\n");
	else if (isinf(value))
		text_add(out, " %sInf\n", value > 0 ? "+" : "-");
	else
		text_add(out, " %.15g\n", value);
}

void metrics_seconds(struct text *out, const char *name, const char *const *labels, int64_t ms)
{
	metrics_double(out, name, labels, (double)ms / 1000);
}
