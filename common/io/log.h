/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_LOG_H
#define HOLDFAST_IO_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"

/*
 * Logging: one event a line to stderr, as `takeover endpoint=vpn epoch=42`, values quoted when they need it.
 * Under journald (JOURNAL_STREAM, systemd.exec(5)) the line starts with its priority (`<6>`, sd-daemon(3)), else with
 * HH:MM:SS.mmm and the level. Never blocks for long, never fails. Not for cores, not for keys.
 *
 *	log_info("seat", "takeover", log_text("endpoint", name), log_u64("epoch", epoch));
 *	log_warning("wg", "device-failed", log_text("interface", ifname), log_err(&err));
 *	log_limited(LEVEL_WARNING, "api", "bad-datagram", source, log_text("from", source));
 */
enum log_level {
	LEVEL_ERROR = 3, /* numbers as in syslog(3) */
	LEVEL_WARNING = 4,
	LEVEL_NOTICE = 5, /* what an operator wants to see: takeovers, new generations */
	LEVEL_INFO = 6,
	LEVEL_DEBUG = 7,
};

enum log_field_type {
	FIELD_NOTHING,
	FIELD_TEXT,
	FIELD_U64,
	FIELD_I64,
	FIELD_BOOL,
	FIELD_ADDR,
	FIELD_PREFIX,
	FIELD_ENDPOINT,
	FIELD_ERR,
	FIELD_ERRNO,
};

struct log_field {
	const char *key;
	enum log_field_type type;
	union {
		const char *text;
		uint64_t u64;
		int64_t i64;
		struct addr addr;
		struct prefix prefix;
		struct endpoint endpoint;
		const struct err *err;
	} value;
};

/* One line. Values are read before the call returns. */
#define log_event(level, module, event, ...)                                                        \
	log_write((level), (module), (event), NULL, (const struct log_field[]){{0}, ##__VA_ARGS__}, \
		sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field))
#define log_error(module, event, ...) log_event(LEVEL_ERROR, module, event, ##__VA_ARGS__)
#define log_warning(module, event, ...) log_event(LEVEL_WARNING, module, event, ##__VA_ARGS__)
#define log_notice(module, event, ...) log_event(LEVEL_NOTICE, module, event, ##__VA_ARGS__)
#define log_info(module, event, ...) log_event(LEVEL_INFO, module, event, ##__VA_ARGS__)
#define log_debug(module, event, ...) log_event(LEVEL_DEBUG, module, event, ##__VA_ARGS__)
/* At most one line in 10 s for each (module, event, key); the next one says how many were kept back. */
#define log_limited(level, module, event, key, ...)                                                  \
	log_write((level), (module), (event), (key), (const struct log_field[]){{0}, ##__VA_ARGS__}, \
		sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field))

static inline struct log_field log_text(const char *key, const char *text)
{
	return (struct log_field){.key = key, .type = FIELD_TEXT, .value.text = text};
}
static inline struct log_field log_u64(const char *key, uint64_t value)
{
	return (struct log_field){.key = key, .type = FIELD_U64, .value.u64 = value};
}
static inline struct log_field log_i64(const char *key, int64_t value)
{
	return (struct log_field){.key = key, .type = FIELD_I64, .value.i64 = value};
}
static inline struct log_field log_bool(const char *key, bool value)
{
	return (struct log_field){.key = key, .type = FIELD_BOOL, .value.u64 = value};
}
static inline struct log_field log_addr(const char *key, const struct addr *addr)
{
	return (struct log_field){.key = key, .type = FIELD_ADDR, .value.addr = *addr};
}
static inline struct log_field log_prefix(const char *key, const struct prefix *prefix)
{
	return (struct log_field){.key = key, .type = FIELD_PREFIX, .value.prefix = *prefix};
}
static inline struct log_field log_endpoint(const char *key, const struct endpoint *endpoint)
{
	return (struct log_field){.key = key, .type = FIELD_ENDPOINT, .value.endpoint = *endpoint};
}
/* error="where:line:column: text" */
static inline struct log_field log_err(const struct err *err)
{
	return (struct log_field){.key = "error", .type = FIELD_ERR, .value.err = err};
}
/* error="No such file or directory"; takes -errno. */
static inline struct log_field log_errno(int negative_errno)
{
	return (struct log_field){.key = "error", .type = FIELD_ERRNO, .value.i64 = negative_errno};
}

/* Lines above the level are dropped. The default is LEVEL_INFO. */
void log_set_level(enum log_level level);
/* The same for one module (at most 32 of them; further ones are -ENOSPC). */
int log_set_module_level(const char *module, enum log_level level);
/* "info", or "info,wg=debug,seat=debug". -EINVAL names the levels. On failure nothing changes. */
int log_configure(const char *text, struct err *err);
bool log_wants(const char *module, enum log_level level);
/* Say what is still kept back by log_limited(). At exit, and now and then. */
void log_flush(void);
/* Where lines go: 2 unless a test says otherwise. The second argument: write journald priorities. */
void log_set_output(int fd, bool journal);

void log_write(enum log_level level, const char *module, const char *event, const char *limit_key,
	const struct log_field *fields, size_t count);

#endif
