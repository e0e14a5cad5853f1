/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_QR_H
#define HOLDFAST_CLI_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

/*
 * A QR code (ISO/IEC 18004, by libqrencode), and its pictures: for a terminal and as a PNG file. All of it is as secret as
 * what is in it.
 */
enum {
	QR_MARGIN = 4,       /* light modules around it, as the standard wants */
	QR_WIDTH_MAX = 177,  /* of version 40 */
	QR_BYTES_MAX = 2953, /* that fit, at the lowest level of correction */
};

struct qr {
	unsigned width;                         /* modules, without a margin */
	bool dark[QR_WIDTH_MAX * QR_WIDTH_MAX]; /* row by row */
};

/* -E2BIG: more than QR_BYTES_MAX. */
int qr_encode(const void *data, size_t size, struct qr *ret_qr);
void qr_wipe(struct qr *qr);

/* Two rows to a line, by half blocks (UTF-8). coloured: black on white whatever the terminal's colours are; else as is right
 * on a dark one. Appended. */
void qr_draw(const struct qr *qr, bool coloured, struct text *out);

/* A grey PNG of one bit a pixel (ISO/IEC 15948), scale pixels to a module. Appended. */
void qr_png(const struct qr *qr, unsigned scale, struct text *out);

#endif
