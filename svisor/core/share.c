// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "ledger.h"
#include "share.h"

static pa_t share[TV_MAX_CPUS]; /* 0: none */

int share_set(pa_t page)
{
	unsigned cpu = cpu_index();

	if (!page_aligned(page.v) || ledger_keep(cpu, page) != TV_OK)
		return TV_EINVAL;
	share[cpu] = page;
	return TV_OK;
}

_Static_assert(sizeof(struct tv_run) <= TV_RUN_DATA, "data lie behind the struct");

volatile struct tv_run *share_page(void)
{
	pa_t page = share[cpu_index()];

	return page.v ? ns_kept_ptr(page) : NULL;
}

bool share_read_data(void *to, size_t size)
{
	pa_t page = share[cpu_index()];

	return page.v && ns_read(to, PA(page.v + TV_RUN_DATA), size);
}

bool share_write_data(const void *from, size_t size)
{
	pa_t page = share[cpu_index()];

	return page.v && ns_write(PA(page.v + TV_RUN_DATA), from, size);
}
