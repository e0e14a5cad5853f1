/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SUCCESSION_INTERNAL_H
#define HOLDFAST_SUCCESSION_INTERNAL_H

#include "node-agent/core/succession/succession.h"

/*
 * What the files of this core share. Each noun says from when on, should nothing else happen, it stands in the way no
 * longer (_open_ms; INT64_MAX: an event is needed), and when it has something to do (_due_ms).
 */

/* ---- pool.c: the members, the owner among them, and whose turn it is ---- */
void pool_configure(struct succession *succession, const struct succession_config *config);
void pool_hear(struct succession *succession, const struct succession_event *event, int64_t now_ms);
void pool_judge(struct succession *succession, const struct succession_event *event, int64_t now_ms);
/* The owner does not answer, and may be dead; or it has let go. */
bool pool_is_in_doubt(const struct succession *succession);
bool pool_owner_is_gone(const struct succession *succession);
/* The members that have a controller, as they say. */
int64_t pool_open_ms(const struct succession *succession);
/* How long others come first. */
int64_t pool_turn_ms(const struct succession *succession, uint64_t generation, int64_t now_ms);

/* ---- leader.c ---- */
void leader_reset(struct succession_leader *leader, int64_t now_ms);
void leader_hear(struct succession_leader *leader, int64_t at_ms, int64_t now_ms);
int64_t leader_open_ms(const struct succession_leader *leader);
/* Not heard for so long that its beats are missing. */
int64_t leader_missed_ms(const struct succession *succession);
int64_t leader_due_ms(const struct succession *succession);
void leader_asked(struct succession_leader *leader, int64_t now_ms);

/* ---- witness.c ---- */
void witness_reset(struct succession_witness *witness);
void witness_hear(struct succession_witness *witness, int64_t at_ms, int64_t now_ms);
int64_t witness_open_ms(const struct succession_witness *witness, int64_t now_ms);
int64_t witness_due_ms(const struct succession *succession, int64_t now_ms);

/* ---- address.c ---- */
void address_reset(struct succession_address *address, int64_t next_ms);
int64_t address_open_ms(const struct succession_address *address);
int64_t address_due_ms(const struct succession *succession);
void address_asked(struct succession_address *address, int64_t now_ms);

/* ---- claim.c ---- */
/* The epoch is on disk and above all seen. */
bool claim_is_good(const struct succession *succession, const struct epoch *highest);
/* What goes to the disk: the next above all seen, or once more what has not arrived there. */
void claim_make(struct succession *succession, const struct epoch *highest, int64_t now_ms);
int64_t claim_due_ms(const struct succession *succession, const struct epoch *highest);
int64_t claim_open_ms(const struct succession *succession);
/* Not to be served, even if it is still on its way to the disk. The next will be above it. */
void claim_forgo(struct succession_claim *claim);
void claim_persisted(struct succession_claim *claim, const struct epoch *epoch);

#endif
