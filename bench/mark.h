/* SPDX-License-Identifier: BSD-3-Clause */
/* The mark: a hint that no architecture has given a meaning, and so a NOP to all but count.c. Label
 * in x0. */
#pragma once

#define MARK_HINT 92
#define MARK (0xd503201fu | MARK_HINT << 5)
