/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/io/store/statement.h"
#include "controller/io/store/store.h"

enum { STATUS_DONE = 200 };

static int finish(struct store *store, int r, struct err *err)
{
	if (r >= 0)
		r = statement_run(store, STATEMENT_COMMIT, err);
	if (r < 0)
		statement_run(store, STATEMENT_ROLLBACK, NULL);
	return r;
}

int store_write_term(struct store *store, uint32_t term, struct err *err)
{
	if (term <= store->term)
		return err_at(err, -EINVAL, store->path, 0, 0, "term %u is not above the stored %u", term,
			store->term);
	sqlite3_stmt *statement = statement_get(store, STATEMENT_WRITE_TERM);
	sqlite3_bind_int64(statement, 1, term);
	int r = statement_step(store, statement, err);
	if (r >= 0)
		store->term = term;
	return r;
}

int store_write_frozen(struct store *store, bool frozen, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_WRITE_FROZEN);
	sqlite3_bind_int(statement, 1, frozen);
	int r = statement_step(store, statement, err);
	if (r >= 0)
		store->frozen = frozen;
	return r;
}

static int write_floor(struct store *store, uint64_t floor, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_RAISE_FLOOR);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)floor);
	int r = statement_step(store, statement, err);
	return r < 0 ? r : 0;
}

static void note_floor(struct store *store, uint64_t floor)
{
	if (floor > store->floor)
		store->floor = floor;
}

int store_raise_floor(struct store *store, uint64_t floor, struct err *err)
{
	int r = write_floor(store, floor, err);
	if (r >= 0)
		note_floor(store, floor);
	return r;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return text ? (const char *)text : "";
}

static void read_generation_columns(sqlite3_stmt *statement, struct store_generation *generation)
{
	*generation = (struct store_generation){.number = (uint64_t)sqlite3_column_int64(statement, 0),
		.wall_ms = sqlite3_column_int64(statement, 3),
		.counts = {.added = (uint64_t)sqlite3_column_int64(statement, 5),
			.changed = (uint64_t)sqlite3_column_int64(statement, 6),
			.removed = (uint64_t)sqlite3_column_int64(statement, 7),
			.other = (uint64_t)sqlite3_column_int64(statement, 8)}};
	text_copy(generation->hash, sizeof generation->hash, column_text(statement, 1));
	text_copy(generation->who, sizeof generation->who, column_text(statement, 2));
	text_copy(generation->what, sizeof generation->what, column_text(statement, 4));
}

static int load_generation(struct store *store, sqlite3_stmt *statement,
	struct store_generation *ret_generation, struct err *err)
{
	int r = statement_step(store, statement, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read_generation_columns(statement, ret_generation);
	ret_generation->bundle = mem_text(column_text(statement, 9));
	sqlite3_reset(statement);
	return 0;
}

int store_load_generation(struct store *store, struct store_generation *ret_generation, struct err *err)
{
	return load_generation(store, statement_get(store, STATEMENT_READ_GENERATION), ret_generation, err);
}

int store_load_generation_before(
	struct store *store, uint64_t number, struct store_generation *ret_generation, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_GENERATION_BEFORE);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
	return load_generation(store, statement, ret_generation, err);
}

int store_load_generation_number(
	struct store *store, uint64_t number, struct store_generation *ret_generation, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_GENERATION_NUMBER);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
	return load_generation(store, statement, ret_generation, err);
}

int store_each_generation(struct store *store, uint64_t after, size_t limit,
	void (*each)(const struct store_generation *generation, void *context), void *context,
	struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_LIST_GENERATIONS);
	struct store_generation generation;
	int r;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)after);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)limit);
	while ((r = statement_step(store, statement, err)) == 1) {
		read_generation_columns(statement, &generation);
		each(&generation, context);
	}
	return r;
}

static int insert_generation(struct store *store, const struct store_generation *generation, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_ADD_GENERATION);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)generation->number);
	sqlite3_bind_text(statement, 2, generation->hash, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, generation->who, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, generation->wall_ms);
	sqlite3_bind_text(statement, 5, generation->what, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 6, (sqlite3_int64)generation->counts.added);
	sqlite3_bind_int64(statement, 7, (sqlite3_int64)generation->counts.changed);
	sqlite3_bind_int64(statement, 8, (sqlite3_int64)generation->counts.removed);
	sqlite3_bind_int64(statement, 9, (sqlite3_int64)generation->counts.other);
	sqlite3_bind_text(statement, 10, generation->bundle, -1, SQLITE_STATIC);
	return statement_step(store, statement, err);
}

static int set_confirmation(
	struct store *store, const struct store_confirmation *confirmation, struct err *err)
{
	int r = statement_run(store, STATEMENT_CLEAR_CONFIRMATION, err);
	if (r < 0 || !confirmation)
		return r;
	sqlite3_stmt *statement = statement_get(store, STATEMENT_SET_CONFIRMATION);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)confirmation->generation);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)confirmation->back_to);
	sqlite3_bind_int64(statement, 3, confirmation->deadline_ms);
	sqlite3_bind_int64(statement, 4, confirmation->given_ms);
	sqlite3_bind_text(statement, 5, confirmation->who, -1, SQLITE_STATIC);
	return statement_step(store, statement, err);
}

static int trim(struct store *store, enum statement which, int kept, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, which);
	sqlite3_bind_int64(statement, 1, kept);
	return statement_step(store, statement, err);
}

static int insert_audit(struct store *store, const struct store_audit *audit, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_ADD_AUDIT);
	sqlite3_bind_int64(statement, 1, audit->wall_ms);
	sqlite3_bind_text(statement, 2, audit->who, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, audit->what, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, audit->target, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 5, (sqlite3_int64)audit->generation);
	sqlite3_bind_int(statement, 6, audit->status);
	sqlite3_bind_text(statement, 7, audit->detail, -1, SQLITE_STATIC);
	return statement_step(store, statement, err);
}

/* Within a transaction. */
static int put_audit(struct store *store, const struct store_audit *audit, struct err *err)
{
	int r = insert_audit(store, audit, err);
	if (r >= 0)
		r = trim(store, STATEMENT_TRIM_AUDIT_REFUSED, STORE_AUDIT_REFUSED_KEPT, err);
	if (r >= 0)
		r = trim(store, STATEMENT_TRIM_AUDIT, STORE_AUDIT_KEPT, err);
	return r;
}

static int put_audit_of(struct store *store, const struct store_generation *generation, struct err *err)
{
	struct store_audit audit = {
		.wall_ms = generation->wall_ms, .generation = generation->number, .status = STATUS_DONE};
	text_copy(audit.who, sizeof audit.who, generation->who);
	text_copy(audit.what, sizeof audit.what, generation->rollback_to ? "rollback" : "apply");
	if (generation->rollback_to)
		snprintf(audit.target, sizeof audit.target, "generation %" PRIu64, generation->rollback_to);
	return put_audit(store, &audit, err);
}

int store_add_generation(struct store *store, const struct store_generation *generation,
	const struct store_confirmation *confirmation, struct err *err)
{
	int r = statement_run(store, STATEMENT_BEGIN, err);
	if (r < 0)
		return r;
	r = insert_generation(store, generation, err);
	if (r >= 0)
		r = put_audit_of(store, generation, err);
	if (r >= 0)
		r = set_confirmation(store, confirmation, err);
	if (r >= 0)
		r = write_floor(store, generation->floor, err);
	if (r >= 0)
		r = trim(store, STATEMENT_TRIM_GENERATIONS, STORE_GENERATIONS_KEPT, err);
	r = finish(store, r, err);
	if (r >= 0)
		note_floor(store, generation->floor);
	return r;
}

int store_load_confirmation(struct store *store, struct store_confirmation *ret_confirmation, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_CONFIRMATION);
	int r = statement_step(store, statement, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_confirmation =
		(struct store_confirmation){.generation = (uint64_t)sqlite3_column_int64(statement, 0),
			.back_to = (uint64_t)sqlite3_column_int64(statement, 1),
			.deadline_ms = sqlite3_column_int64(statement, 2),
			.given_ms = sqlite3_column_int64(statement, 3)};
	text_copy(ret_confirmation->who, sizeof ret_confirmation->who, column_text(statement, 4));
	sqlite3_reset(statement);
	return 0;
}

int store_clear_confirmation(struct store *store, struct err *err)
{
	return statement_run(store, STATEMENT_CLEAR_CONFIRMATION, err);
}

void store_generation_clear(struct store_generation *generation)
{
	if (!generation)
		return;
	free(generation->bundle);
	*generation = (struct store_generation){0};
}

int store_each_drained(
	struct store *store, void (*each)(const char *gateway, void *context), void *context, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_DRAINED);
	int r;
	while ((r = statement_step(store, statement, err)) == 1)
		each(column_text(statement, 0), context);
	return r;
}

int store_set_drained(struct store *store, const char *gateway, bool drained, struct err *err)
{
	sqlite3_stmt *statement =
		statement_get(store, drained ? STATEMENT_ADD_DRAINED : STATEMENT_REMOVE_DRAINED);
	sqlite3_bind_text(statement, 1, gateway, -1, SQLITE_STATIC);
	int r = statement_step(store, statement, err);
	return r < 0 ? r : 0;
}

int store_each_event(struct store *store, void (*each)(uint64_t seq, const char *json, void *context),
	void *context, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_EVENTS);
	int r;
	while ((r = statement_step(store, statement, err)) == 1)
		each((uint64_t)sqlite3_column_int64(statement, 0), column_text(statement, 1), context);
	return r;
}

static int insert_event(struct store *store, const struct store_event *event, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_ADD_EVENT);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)event->seq);
	sqlite3_bind_text(statement, 2, event->json, -1, SQLITE_STATIC);
	return statement_step(store, statement, err);
}

int store_add_events(struct store *store, const struct store_event *events, size_t count, struct err *err)
{
	if (!count)
		return 0;
	int r = statement_run(store, STATEMENT_BEGIN, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r >= 0; i++)
		r = insert_event(store, &events[i], err);
	if (r >= 0)
		r = trim(store, STATEMENT_TRIM_EVENTS, STORE_EVENTS_KEPT, err);
	return finish(store, r, err);
}

int store_add_audit(struct store *store, const struct store_audit *audit, struct err *err)
{
	int r = statement_run(store, STATEMENT_BEGIN, err);
	if (r < 0)
		return r;
	return finish(store, put_audit(store, audit, err), err);
}

static void read_audit_columns(sqlite3_stmt *statement, struct store_audit *audit)
{
	*audit = (struct store_audit){.seq = (uint64_t)sqlite3_column_int64(statement, 0),
		.wall_ms = sqlite3_column_int64(statement, 1),
		.generation = (uint64_t)sqlite3_column_int64(statement, 5),
		.status = sqlite3_column_int(statement, 6)};
	text_copy(audit->who, sizeof audit->who, column_text(statement, 2));
	text_copy(audit->what, sizeof audit->what, column_text(statement, 3));
	text_copy(audit->target, sizeof audit->target, column_text(statement, 4));
	text_copy(audit->detail, sizeof audit->detail, column_text(statement, 7));
}

int store_each_audit(struct store *store, uint64_t after, size_t limit,
	void (*each)(const struct store_audit *audit, void *context), void *context, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_LIST_AUDIT);
	struct store_audit audit;
	int r;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)after);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)limit);
	while ((r = statement_step(store, statement, err)) == 1) {
		read_audit_columns(statement, &audit);
		each(&audit, context);
	}
	return r;
}
