/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_FILE_INT_H
#define HOLDFAST_IO_FILE_INT_H

/* Inside of file.c and file_sweep.c: what is being written is called FILE.SALT.tmp until it is whole. */
enum { FILE_SALT_DIGITS = 16 };
#define FILE_TEMPORARY_SUFFIX ".tmp"

#endif
