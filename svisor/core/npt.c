// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "ledger.h"
#include "npt.h"

#define DESC_VALID 1ULL
#define DESC_TABLE 2ULL
#define DESC_ADDRESS 0x0000fffffffff000ULL

/* Address bits below a descriptor of this level. */
static unsigned level_shift(unsigned level)
{
	return TV_PAGE_SHIFT + 9 * (3 - level);
}

static uint64_t root_size(const struct npt *n)
{
	uint64_t bytes = 8ULL << (n->bits - level_shift(n->level));

	return bytes < TV_PAGE_SIZE ? TV_PAGE_SIZE : bytes;
}

/* One to sixteen concatenated tables at the root, as the architecture allows. */
static bool shape_ok(const struct npt *n)
{
	unsigned least;

	if (n->level > 1 || n->bits > guest_address_bits())
		return false;
	least = level_shift(n->level) + 1;
	return n->bits >= least && n->bits <= least + 12;
}

int npt_check(const struct npt *n)
{
	if (!shape_ok(n) || (n->root & (root_size(n) - 1)))
		return TV_EINVAL;
	for (uint64_t a = 0; a < root_size(n); a += TV_PAGE_SIZE) {
		if (!ledger_ordinary(PA(n->root + a)))
			return TV_EINVAL;
	}
	return TV_OK;
}

/* Does the descriptor name memory, rather than a table? */
static bool is_leaf(uint64_t desc, unsigned level)
{
	return level == 3 || !(desc & DESC_TABLE);
}

/* Level 0 has no blocks, and level 3 nothing but pages (DDI 0487 D8.3.1). */
static bool leaf_ok(uint64_t desc, unsigned level)
{
	return level != 0 && (level != 3 || (desc & DESC_TABLE));
}

int npt_walk(const struct npt *n, ipa_t ipa, pa_t *page, uint64_t *size)
{
	uint64_t rights;

	return npt_leaf(n, ipa, page, size, &rights);
}

int npt_leaf(const struct npt *n, ipa_t ipa, pa_t *page, uint64_t *size, uint64_t *rights)
{
	uint64_t table = n->root;
	uint64_t index = ipa.v >> level_shift(n->level); /* concatenated roots: not cut to 9 bits */

	if (ipa.v >> n->bits)
		return TV_ENOENT;
	for (unsigned level = n->level;; level++) {
		uint64_t below = (1ULL << level_shift(level)) - 1;
		uint64_t at = table + index * 8;
		uint64_t desc;

		if (!ledger_ordinary(PA(at & ~(uint64_t)(TV_PAGE_SIZE - 1))) ||
		    !ns_read64(PA(at), &desc))
			return TV_EDENIED;
		if (!(desc & DESC_VALID))
			return TV_ENOENT;
		if (is_leaf(desc, level)) {
			*size = below + 1;
			*rights = desc & ~(DESC_ADDRESS | DESC_VALID | DESC_TABLE);
			*page = PA((desc & DESC_ADDRESS & ~below) | (ipa.v & below));
			return leaf_ok(desc, level) ? TV_OK : TV_ENOENT;
		}
		table = desc & DESC_ADDRESS;
		index = (ipa.v >> level_shift(level + 1)) & 511;
	}
}
