// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "ledger.h"
#include "share.h"

static struct {
	pa_t page;
	bool set;
} share[TV_MAX_CPUS];

int share_set(pa_t page)
{
	unsigned cpu = cpu_index();

	if (!page_aligned(page.v) || !ledger_ordinary(page))
		return TV_EINVAL;
	share[cpu].page = page;
	share[cpu].set = true;
	return TV_OK;
}

bool share_read(struct tv_run *run)
{
	unsigned cpu = cpu_index();

	return share[cpu].set && ns_read(run, share[cpu].page, sizeof(*run));
}

_Static_assert(sizeof(struct tv_run) <= TV_RUN_DATA, "data lie behind the struct");

bool share_read_data(void *to, size_t size)
{
	unsigned cpu = cpu_index();

	return share[cpu].set && ns_read(to, PA(share[cpu].page.v + TV_RUN_DATA), size);
}

bool share_write_data(const void *from, size_t size)
{
	unsigned cpu = cpu_index();

	return share[cpu].set && ns_write(PA(share[cpu].page.v + TV_RUN_DATA), from, size);
}

bool share_write(const struct tv_run *run)
{
	unsigned cpu = cpu_index();

	return share[cpu].set && ns_write(share[cpu].page, run, sizeof(*run));
}
