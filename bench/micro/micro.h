/* SPDX-License-Identifier: BSD-3-Clause */
/* What micro.c, its guests and bench/micro/run agree on. */
#pragma once

/* Labels of marks: before a few, before many, and after them */
#define MARK_FEW 1
#define MARK_MANY 2
#define MARK_END 3

#ifdef __ASSEMBLER__
#define TINY_UART 0x09000000
#endif
