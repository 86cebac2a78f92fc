/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads launch logs. They come from a host that may lie. */
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define AFFINITY 0xff00ffffffUL /* of an MPIDR */

struct reader {
	const uint8_t *data;
	size_t size, at;
	size_t record; /* number of the one at `at`, from 0 */
	char *error;
};

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

__attribute__((format(printf, 2, 3))) static bool wrong(const struct reader *r, const char *fmt,
							...)
{
	va_list ap;
	int n = snprintf(r->error, LOG_ERROR, "record %zu, at byte %zu: ", r->record, r->at);

	va_start(ap, fmt);
	vsnprintf(r->error + n, LOG_ERROR - n, fmt, ap);
	va_end(ap);
	return false;
}

static size_t left(const struct reader *r)
{
	return r->size - r->at;
}

static uint64_t word(const struct reader *r, unsigned int n)
{
	return word_at(r->data + r->at + 8 * n);
}

static bool is(const struct reader *r, uint64_t type)
{
	return left(r) >= 8 && word(r, 0) == type;
}

static bool whole(const struct reader *r, const char *name, size_t size)
{
	return left(r) >= size || wrong(r, "%s: cut short", name);
}

static void next(struct reader *r, size_t size)
{
	r->at += size;
	r->record++;
}

static bool read_head(struct reader *r)
{
	if (left(r) < 8 || word(r, 0) != TV_MEASURE_HEAD)
		return wrong(r, "head: this is no launch log, or another version's");
	next(r, 8);
	return true;
}

static bool read_cpu(struct reader *r, struct log *log)
{
	if (!is(r, TV_MEASURE_CPU))
		return wrong(r, "there is no record of the CPU");
	if (!whole(r, "CPU", 16))
		return false;
	log->features = word(r, 1);
	if (log->features & ~(uint64_t)(TV_FEATURE_SVE | TV_FEATURE_PMU) ||
	    (log->features & TV_FEATURE_SVE) > TV_MAX_SVE)
		return wrong(r, "CPU: features %#lx, which no S-VM has", log->features);
	next(r, 16);
	return true;
}

static bool overlaps(const struct log_ram *a, const struct log_ram *b)
{
	return a->base < b->base + b->size && b->base < a->base + a->size;
}

static bool read_ram(struct reader *r, struct log *log)
{
	struct log_ram *ram = &log->ram[log->rams];

	if (log->rams == TV_MAX_RAM)
		return wrong(r, "RAM: the %uth range, there are %d at most", log->rams + 1,
			     TV_MAX_RAM);
	if (!whole(r, "RAM", 24))
		return false;
	ram->base = word(r, 1);
	ram->size = word(r, 2);
	if (ram->base % TV_PAGE_SIZE)
		return wrong(r, "RAM: address %#lx is not page aligned", ram->base);
	if (!ram->size || ram->size % TV_PAGE_SIZE || ram->base + ram->size < ram->base)
		return wrong(r, "RAM: size %#lx", ram->size);
	for (unsigned int i = 0; i < log->rams; i++)
		if (overlaps(ram, &log->ram[i]))
			return wrong(r, "RAM: address %#lx is in range %u, too", ram->base, i);
	log->rams++;
	next(r, 24);
	return true;
}

static bool in_ram(const struct log *log, uint64_t ipa)
{
	for (unsigned int i = 0; i < log->rams; i++)
		if (ipa >= log->ram[i].base && ipa - log->ram[i].base < log->ram[i].size)
			return true;
	return false;
}

static bool read_page(struct reader *r, struct log *log)
{
	uint64_t ipa;

	if (!whole(r, "page", LOG_PAGE))
		return false;
	ipa = word(r, 1);
	if (ipa % TV_PAGE_SIZE || !in_ram(log, ipa))
		return wrong(r, "page: address %#lx is %s", ipa,
			     ipa % TV_PAGE_SIZE ? "not page aligned" : "outside RAM");
	if (log->pages && ipa <= log_page_ipa(log, log->pages - 1))
		return wrong(r, "page: address %#lx is not above the one before", ipa);
	log->pages++;
	next(r, LOG_PAGE);
	return true;
}

static bool read_vcpu(struct reader *r, struct log *log)
{
	struct log_vcpu *v = &log->vcpu[log->vcpus];

	if (log->vcpus == TV_MAX_VCPUS)
		return wrong(r, "vCPU: the %uth, there are %d at most", log->vcpus + 1,
			     TV_MAX_VCPUS);
	if (!whole(r, "vCPU", 8 * (4 + LOG_GPRS)))
		return false;
	v->mpidr = word(r, 1);
	v->flags = word(r, 2);
	v->pc = word(r, 3);
	for (unsigned int i = 0; i < LOG_GPRS; i++)
		v->gpr[i] = word(r, 4 + i);
	if (v->mpidr & ~AFFINITY)
		return wrong(r, "vCPU: MPIDR %#lx has more than an affinity", v->mpidr);
	for (unsigned int i = 0; i < log->vcpus; i++)
		if (log->vcpu[i].mpidr == v->mpidr)
			return wrong(r, "vCPU: MPIDR %#lx is vCPU %u's, too", v->mpidr, i);
	if (v->flags & ~(uint64_t)TV_VCPU_ON)
		return wrong(r, "vCPU: flags %#lx", v->flags);
	log->vcpus++;
	next(r, 8 * (4 + LOG_GPRS));
	return true;
}

static bool read_all(struct reader *r, struct log *log)
{
	if (!read_head(r) || !read_cpu(r, log))
		return false;
	while (is(r, TV_MEASURE_RAM))
		if (!read_ram(r, log))
			return false;
	log->page = r->data + r->at;
	while (is(r, TV_MEASURE_PAGE))
		if (!read_page(r, log))
			return false;
	while (is(r, TV_MEASURE_VCPU))
		if (!read_vcpu(r, log))
			return false;
	if (left(r) >= 8)
		return wrong(r, "type %#lx is unknown, or out of order", word(r, 0));
	if (left(r))
		return wrong(r, "cut short");
	if (!log->vcpus)
		return wrong(r, "there is no vCPU: the launch did not come as far as that");
	return true;
}

bool log_parse(const uint8_t *data, size_t size, struct log *log, char error[LOG_ERROR])
{
	struct reader r = {.data = data, .size = size, .error = error};

	memset(log, 0, sizeof(*log));
	return read_all(&r, log);
}

uint64_t log_page_ipa(const struct log *log, size_t n)
{
	return word_at(log->page + LOG_PAGE * n + 8);
}

const uint8_t *log_page_hash(const struct log *log, size_t n)
{
	return log->page + LOG_PAGE * n + 16;
}
