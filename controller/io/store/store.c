/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/key_pair.h"
#include "controller/io/store/statement.h"

enum { SCHEMA_VERSION = 2 };

static const char schema[] =
	"CREATE TABLE identity(one INTEGER PRIMARY KEY CHECK (one = 1), store INTEGER NOT NULL, term INTEGER "
	"NOT NULL,"
	" secret BLOB NOT NULL, frozen INTEGER NOT NULL, floor INTEGER NOT NULL);"
	"CREATE TABLE generations(number INTEGER PRIMARY KEY, hash TEXT NOT NULL, who TEXT NOT NULL,"
	" wall_ms INTEGER NOT NULL, what TEXT NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL,"
	" removed INTEGER NOT NULL, other INTEGER NOT NULL, bundle TEXT NOT NULL);"
	"CREATE TABLE confirmation(one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL,"
	" back_to INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, given_ms INTEGER NOT NULL, who TEXT NOT "
	"NULL);"
	"CREATE TABLE audit(seq INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, target TEXT NOT NULL, generation INTEGER NOT NULL, status INTEGER NOT NULL,"
	" detail TEXT NOT NULL);"
	"CREATE INDEX audit_refused ON audit(seq) WHERE status = 403;"
	"CREATE TABLE drained(gateway TEXT PRIMARY KEY);"
	"CREATE TABLE invitations(gateway TEXT PRIMARY KEY, hash TEXT NOT NULL, expires_ms INTEGER NOT NULL,"
	" who TEXT NOT NULL);"
	"CREATE TABLE revoked(kind TEXT NOT NULL, name TEXT NOT NULL, wall_ms INTEGER NOT NULL, who TEXT NOT "
	"NULL,"
	" PRIMARY KEY(kind, name));"
	"CREATE TABLE events(seq INTEGER PRIMARY KEY, json TEXT NOT NULL);"
	"PRAGMA user_version = 2;";

static int execute(struct store *store, const char *sql, struct err *err)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : statement_error(store, err);
}

/* The lock is on a file of its own: SQLite's would go away with the first descriptor on the database that anybody in
 * this process closes (fcntl(2)). */
static int lock(struct store *store, struct err *err)
{
	struct text text = {0};
	text_add(&text, "%s.lock", store->path);
	CLEANUP_FREE char *path = text_take(&text);
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0)
		return err_at(
			err, -errno, path, 0, 0, "%s: the state directory must be writable", strerror(errno));
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return err_at(err, -EBUSY, store->path, 0, 0,
		"another controller is using this store: stop it first, or give this one a store of its own");
}

/* Made with its mode before SQLite sees it: the write-ahead log copies the mode. */
static int make_private(struct store *store, struct err *err)
{
	int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_at(err, -errno, store->path, 0, 0, "%s: must be writable", strerror(errno));
	int r = fchmod(fd, 0600) < 0 ? err_at(err, -errno, store->path, 0, 0, "%s", strerror(errno)) : 0;
	close(fd);
	return r;
}

static int read_version(struct store *store, int *ret_version, struct err *err)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
		return statement_error(store, err);
	int r = statement_step(store, statement, err);
	if (r == 1)
		*ret_version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return r < 0 ? r : 0;
}

static int make_schema(struct store *store, struct err *err)
{
	int version = 0;
	int r = read_version(store, &version, err);
	if (r < 0 || version == SCHEMA_VERSION)
		return r;
	if (version != 0)
		return err_at(err, -EPROTONOSUPPORT, store->path, 0, 0,
			"written by another version (schema %d, this one knows %d): use that version",
			version, SCHEMA_VERSION);
	if ((r = execute(store, "BEGIN IMMEDIATE", err)) < 0 || (r = execute(store, schema, err)) < 0)
		return r;
	return execute(store, "COMMIT", err);
}

static int make_identity(struct store *store, struct err *err)
{
	store->id = clock_boot_id() >> 1 | 1; /* positive in SQLite and JSON, never 0 */
	key_random(&store->secret);
	sqlite3_stmt *statement = statement_get(store, STATEMENT_WRITE_IDENTITY);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)store->id);
	sqlite3_bind_blob(statement, 2, store->secret.bytes, KEY_BYTES, SQLITE_STATIC);
	int r = statement_step(store, statement, err);
	return r < 0 ? r : 0;
}

static int read_identity(struct store *store, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_IDENTITY);
	int r = statement_step(store, statement, err);
	if (r <= 0)
		return r < 0 ? r : make_identity(store, err);
	if (sqlite3_column_bytes(statement, 2) != KEY_BYTES) {
		sqlite3_reset(statement);
		return err_at(err, -EIO, store->path, 0, 0, "the fleet secret in it is damaged");
	}
	store->id = (uint64_t)sqlite3_column_int64(statement, 0);
	store->term = (uint32_t)sqlite3_column_int64(statement, 1);
	store->frozen = sqlite3_column_int(statement, 3) != 0;
	store->floor = (uint64_t)sqlite3_column_int64(statement, 4);
	memcpy(store->secret.bytes, sqlite3_column_blob(statement, 2), KEY_BYTES);
	sqlite3_reset(statement);
	return 0;
}

static int open_database(struct store *store, struct err *err)
{
	int r = lock(store, err);
	if (r < 0 || (r = make_private(store, err)) < 0)
		return r;
	if (sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return statement_error(store, err);
	sqlite3_busy_timeout(store->db, 2000);
	r = execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", err);
	if (r < 0 || (r = make_schema(store, err)) < 0)
		return r;
	if ((r = statement_prepare_all(store, err)) < 0)
		return r;
	return read_identity(store, err);
}

int store_open(const char *path, struct store **ret_store, struct err *err)
{
	struct store *store = mem_new(1, sizeof *store);
	store->lock_fd = -1;
	store->path = mem_text(path);
	int r = open_database(store, err);
	if (r < 0)
		store_close(store);
	else
		*ret_store = store;
	return r;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	statement_finalize_all(store);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	key_wipe(&store->secret);
	free(store->path);
	free(store);
}

uint64_t store_id(const struct store *store)
{
	return store->id;
}

const struct key *store_secret(const struct store *store)
{
	return &store->secret;
}

uint32_t store_term(const struct store *store)
{
	return store->term;
}

bool store_is_frozen(const struct store *store)
{
	return store->frozen;
}

uint64_t store_floor(const struct store *store)
{
	return store->floor;
}
