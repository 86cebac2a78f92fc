// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "ledger.h"
#include "share.h"

int share_set(pa_t page)
{
	return page_aligned(page.v) ? ledger_keep(cpu_index(), page) : TV_EINVAL;
}

/* 0: none. Without the ledger's lock: it is this CPU that sets it. */
static pa_t own_page(void)
{
	return ledger.kept[cpu_index()];
}

_Static_assert(sizeof(struct tv_run) <= TV_RUN_DATA, "data lie behind the struct");

volatile struct tv_run *share_page(void)
{
	pa_t page = own_page();

	return page.v ? ns_kept_ptr(page) : NULL;
}

bool share_read_data(void *to, size_t size)
{
	pa_t page = own_page();

	return page.v && ns_read(to, PA(page.v + TV_RUN_DATA), size);
}

bool share_write_data(const void *from, size_t size)
{
	pa_t page = own_page();

	return page.v && ns_write(PA(page.v + TV_RUN_DATA), from, size);
}
