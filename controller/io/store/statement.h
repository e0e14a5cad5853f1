/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_STATEMENT_H
#define HOLDFAST_CONTROLLER_IO_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/key.h"

/* Inside of store/: the prepared statements and how they are run. */
enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_READ_IDENTITY,
	STATEMENT_WRITE_IDENTITY,
	STATEMENT_WRITE_TERM,
	STATEMENT_WRITE_FROZEN,
	STATEMENT_RAISE_FLOOR,
	STATEMENT_READ_GENERATION,
	STATEMENT_READ_GENERATION_BEFORE,
	STATEMENT_READ_GENERATION_NUMBER,
	STATEMENT_LIST_GENERATIONS,
	STATEMENT_ADD_GENERATION,
	STATEMENT_TRIM_GENERATIONS,
	STATEMENT_READ_CONFIRMATION,
	STATEMENT_SET_CONFIRMATION,
	STATEMENT_CLEAR_CONFIRMATION,
	STATEMENT_READ_DRAINED,
	STATEMENT_ADD_DRAINED,
	STATEMENT_REMOVE_DRAINED,
	STATEMENT_READ_EVENTS,
	STATEMENT_ADD_EVENT,
	STATEMENT_TRIM_EVENTS,
	STATEMENT_READ_INVITATIONS,
	STATEMENT_PUT_INVITATION,
	STATEMENT_REMOVE_INVITATION,
	STATEMENT_LIST_AUDIT,
	STATEMENT_ADD_AUDIT,
	STATEMENT_TRIM_AUDIT,
	STATEMENT_TRIM_AUDIT_REFUSED,
	STATEMENT_READ_REVOKED,
	STATEMENT_REVOKE,
	STATEMENT_COUNT,
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	char *path;
	int lock_fd;
	uint64_t id;
	uint32_t term;
	bool frozen;
	uint64_t floor;
	struct key secret;
};

int statement_prepare_all(struct store *store, struct err *err);
void statement_finalize_all(struct store *store);

/* The statement, reset and with nothing bound. */
sqlite3_stmt *statement_get(struct store *store, enum statement which);
/* One step: 1 a row, 0 done, -EIO (err names the file and what SQLite said). Done or failed, it is reset. */
int statement_step(struct store *store, sqlite3_stmt *statement, struct err *err);
/* All steps of one that gives no rows. */
int statement_run(struct store *store, enum statement which, struct err *err);
int statement_error(struct store *store, struct err *err);

#endif
