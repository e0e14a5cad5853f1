/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SEAT_SLEEPERS_H
#define HOLDFAST_TESTS_SEAT_SLEEPERS_H

#include "node-agent/core/seat/wake.h"

/* A takeover's peers under a virtual clock: those of wg0, whose device is looked at each ms. */
enum { START = 1000000 };

extern struct wake *wake;
extern struct wake_actions actions; /* of the last step */
extern int64_t now;
extern size_t poked, recreated, restored, spins;
extern bool looking; /* at the device, each ms */
extern bool telling; /* the device, at once */

void sleepers_begin(void);
void sleepers_end(void);

struct wake_peer peer(uint32_t number);
/* Peers 0, 1, ...: the most recently active first. */
void add(uint32_t count);
/* It has shaken hands; wake_handshake(). */
bool back(uint32_t number);
void step(void);
void look(void);
void step_while_due(void);
void run_until(int64_t until);

#endif
