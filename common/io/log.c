/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"

enum { MODULES_MAX = 32, MODULE_NAME_MAX = 24, LIMITS = 64, LIMIT_KEY_MAX = 96, LIMIT_EVENT_MAX = 48 };
#define LIMIT_INTERVAL_MS 10000

struct module_level {
	char name[MODULE_NAME_MAX];
	enum log_level level;
};

struct levels {
	enum log_level level;
	size_t module_count;
	struct module_level modules[MODULES_MAX];
};

struct limit {
	char module[MODULE_NAME_MAX], event[LIMIT_EVENT_MAX], key[LIMIT_KEY_MAX];
	enum log_level level;
	int64_t said_ms; /* when the last line came through */
	uint64_t kept_back;
	bool used;
};

/*
 * The one static object of the code base. A process has one stderr, and a logger handed through every function would
 * cost each of them an argument that never differs. Nothing but log lines depends on it; used by one thread.
 */
static struct {
	int fd;
	bool known_journal, journal;
	struct levels levels;
	struct limit limits[LIMITS];
} logger = {.fd = STDERR_FILENO, .levels.level = LEVEL_INFO};

static const struct {
	const char *name;
	enum log_level level;
} level_names[] = {
	{"error", LEVEL_ERROR},
	{"warning", LEVEL_WARNING},
	{"notice", LEVEL_NOTICE},
	{"info", LEVEL_INFO},
	{"debug", LEVEL_DEBUG},
};

static const char *level_text(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_COUNT(level_names); i++)
		if (level_names[i].level == level)
			return level_names[i].name;
	return "?";
}

static int level_parse(const char *text, enum log_level *ret_level, struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
		if (strcasecmp(text, level_names[i].name) == 0) {
			*ret_level = level_names[i].level;
			return 0;
		}
	}
	return err_set(
		err, -EINVAL, "\"%.32s\" is no log level: error, warning, notice, info or debug", text);
}

void log_set_level(enum log_level level)
{
	logger.levels.level = level;
}

static int set_module(struct levels *levels, const char *module, enum log_level level)
{
	struct module_level *slot = NULL;

	for (size_t i = 0; i < levels->module_count; i++)
		if (strcmp(levels->modules[i].name, module) == 0)
			slot = &levels->modules[i];
	if (!slot && levels->module_count == MODULES_MAX)
		return -ENOSPC;
	if (!slot)
		slot = &levels->modules[levels->module_count++];
	text_copy(slot->name, sizeof slot->name, module);
	slot->level = level;
	return 0;
}

int log_set_module_level(const char *module, enum log_level level)
{
	return set_module(&logger.levels, module, level);
}

/* "info" or "wg=debug". */
static int configure_word(struct levels *levels, char *word, struct err *err)
{
	char *equals = strchr(word, '=');
	enum log_level level = LEVEL_INFO;
	int r = level_parse(equals ? equals + 1 : word, &level, err);

	if (r < 0)
		return r;
	if (!equals) {
		levels->level = level;
		return 0;
	}
	*equals = '\0';
	if (!text_is_name(word, MODULE_NAME_MAX - 1))
		return err_set(err, -EINVAL, "\"%.32s\" is no module's name", word);
	r = set_module(levels, word, level);
	return r < 0 ? err_set(err, r, "levels of their own for at most %d modules", MODULES_MAX) : 0;
}

int log_configure(const char *text, struct err *err)
{
	struct levels levels = {.level = logger.levels.level};
	char *copy CLEANUP_FREE = mem_text(text), *rest = copy, *word;
	int r = 0;

	while (r == 0 && (word = strsep(&rest, ",")))
		r = configure_word(&levels, word, err);
	if (r == 0)
		logger.levels = levels;
	return r;
}

bool log_wants(const char *module, enum log_level level)
{
	for (size_t i = 0; i < logger.levels.module_count; i++)
		if (strcmp(logger.levels.modules[i].name, module) == 0)
			return level <= logger.levels.modules[i].level;
	return level <= logger.levels.level;
}

void log_set_output(int fd, bool journal)
{
	logger.fd = fd;
	logger.journal = journal;
	logger.known_journal = true;
}

/* systemd.exec(5): JOURNAL_STREAM is DEVICE:INODE of the stream; children that redirect stderr inherit the variable. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat status;

	if (!stream || fstat(fd, &status) < 0 || sscanf(stream, "%ju:%ju", &device, &inode) != 2)
		return false;
	return status.st_dev == device && status.st_ino == inode;
}

static void add_start(struct text *line, enum log_level level)
{
	int64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm local;

	if (!logger.known_journal)
		log_set_output(logger.fd, is_journal(logger.fd));
	if (logger.journal) {
		text_add(line, "<%d>", (int)level);
		return;
	}
	localtime_r(&seconds, &local);
	text_add(line, "%02d:%02d:%02d.%03d %-7s ", local.tm_hour, local.tm_min, local.tm_sec,
		(int)(now_ms % 1000), level_text(level));
}

static bool is_plain(const char *value)
{
	if (*value == '\0')
		return false;
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f)
			return false;
	return true;
}

/* Quoted, with everything that could end the line or fool a terminal made visible. */
static void add_quoted(struct text *line, const char *value)
{
	text_add(line, "\"");
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '\n')
			text_add(line, "\\n");
		else if (*p < ' ' || *p == 0x7f)
			text_add(line, "\\x%02x", *p);
		else if (*p == '"' || *p == '\\')
			text_add(line, "\\%c", *p);
		else
			text_add_bytes(line, p, 1);
	}
	text_add(line, "\"");
}

static void add_text(struct text *line, const char *value)
{
	if (is_plain(value))
		text_add(line, "%s", value);
	else
		add_quoted(line, value);
}

static void add_err(struct text *line, const struct err *err)
{
	char buffer[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	add_text(line, err_format(err, buffer, sizeof buffer));
}

static void add_field(struct text *line, const struct log_field *field)
{
	char buffer[ENDPOINT_TEXT_MAX];

	if (field->type == FIELD_NOTHING || (field->type == FIELD_TEXT && !field->value.text))
		return;
	text_add(line, " %s=", field->key);
	switch (field->type) {
	case FIELD_NOTHING:
		break;
	case FIELD_TEXT:
		add_text(line, field->value.text);
		break;
	case FIELD_U64:
		text_add(line, "%" PRIu64, field->value.u64);
		break;
	case FIELD_I64:
		text_add(line, "%" PRId64, field->value.i64);
		break;
	case FIELD_BOOL:
		text_add(line, "%s", field->value.u64 ? "yes" : "no");
		break;
	case FIELD_ADDR:
		text_add(line, "%s", addr_format(&field->value.addr, buffer, sizeof buffer));
		break;
	case FIELD_PREFIX:
		text_add(line, "%s", prefix_format(&field->value.prefix, buffer, sizeof buffer));
		break;
	case FIELD_ENDPOINT:
		text_add(line, "%s", endpoint_format(&field->value.endpoint, buffer, sizeof buffer));
		break;
	case FIELD_ERR:
		add_err(line, field->value.err);
		break;
	case FIELD_ERRNO:
		add_text(line, strerror((int)-field->value.i64));
		break;
	}
}

/* One write, so that lines of several processes do not mix; what the pipe does not take is lost, not waited for. */
static void put(struct text *line)
{
	ssize_t written;

	text_add(line, "\n");
	do
		written = write(logger.fd, line->data, line->length);
	while (written < 0 && errno == EINTR);
	text_clear(line);
}

static void say_kept_back(struct limit *limit)
{
	struct text line = {0};

	if (limit->kept_back == 0)
		return;
	add_start(&line, limit->level);
	text_add(&line, "%s key=", limit->event);
	add_text(&line, limit->key);
	text_add(&line, " suppressed=%" PRIu64, limit->kept_back);
	put(&line);
	limit->kept_back = 0;
}

void log_flush(void)
{
	for (size_t i = 0; i < LIMITS; i++)
		say_kept_back(&logger.limits[i]);
}

static bool limit_is(const struct limit *limit, const char *module, const char *event, const char *key)
{
	return limit->used && strncmp(limit->module, module, MODULE_NAME_MAX - 1) == 0 &&
	       strncmp(limit->event, event, LIMIT_EVENT_MAX - 1) == 0 &&
	       strncmp(limit->key, key, LIMIT_KEY_MAX - 1) == 0;
}

/* The slot of these three: its own, a free one, or the one silent for longest. */
static struct limit *limit_find(enum log_level level, const char *module, const char *event, const char *key)
{
	struct limit *oldest = &logger.limits[0];

	for (size_t i = 0; i < LIMITS; i++) {
		struct limit *limit = &logger.limits[i];

		if (limit_is(limit, module, event, key))
			return limit;
		if (oldest->used && (!limit->used || limit->said_ms < oldest->said_ms))
			oldest = limit;
	}
	say_kept_back(oldest);
	*oldest = (struct limit){.level = level, .used = true, .said_ms = INT64_MIN / 2};
	text_copy(oldest->module, sizeof oldest->module, module);
	text_copy(oldest->event, sizeof oldest->event, event);
	text_copy(oldest->key, sizeof oldest->key, key);
	return oldest;
}

/* May the line pass? Then *ret_kept_back is what it should own up to. */
static bool limit_pass(struct limit *limit, uint64_t *ret_kept_back)
{
	int64_t now_ms = clock_now_ms();

	if (now_ms - limit->said_ms < LIMIT_INTERVAL_MS) {
		limit->kept_back++;
		return false;
	}
	*ret_kept_back = limit->kept_back;
	limit->kept_back = 0;
	limit->said_ms = now_ms;
	return true;
}

void log_write(enum log_level level, const char *module, const char *event, const char *limit_key,
	const struct log_field *fields, size_t count)
{
	struct text line = {0};
	uint64_t kept_back = 0;

	if (!log_wants(module, level))
		return;
	if (limit_key && !limit_pass(limit_find(level, module, event, limit_key), &kept_back))
		return;
	add_start(&line, level);
	text_add(&line, "%s", event);
	for (size_t i = 0; i < count; i++)
		add_field(&line, &fields[i]);
	if (level == LEVEL_DEBUG)
		text_add(&line, " module=%s", module); /* whose level to lower again */
	if (kept_back > 0)
		text_add(&line, " suppressed=%" PRIu64, kept_back);
	put(&line);
}
