// SPDX-License-Identifier: BSD-3-Clause
#include "drivers.h"
#include "platform.h"

void platform_init(const struct tv_manifest *m)
{
	pl011_init(m->uart);
	tzc400_init(m->tzc);
}
