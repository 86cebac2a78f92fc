/* SPDX-License-Identifier: BSD-3-Clause */
#include "put.c"

void fatal(uint64_t esr, uint64_t elr)
{
	put("not ok - exception ");
	put_hex(esr);
	put(" at ");
	put_hex(elr);
	put("\r\n");
	for (;;)
		;
}
