/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a launch log is unlike an image. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "tv.h"

#define RANGES 8 /* of a part that are shown; the others are counted */

/* ---- pages ---------------------------------------------------------------- */

enum kind { SAME, DIFFERS, MISSING, EXTRA };

/* Pages in a row, as far as either has any, that are unlike in the same way */
struct range {
	enum kind kind;
	const char *part; /* of the image, or NULL */
	uint64_t start, end;
	size_t pages;
};

struct report {
	const struct image *img;
	struct range now, last; /* being made; the last one that was complete */
	unsigned int shown, hidden;
	bool any;
};

static const char *part_at(const struct image *img, uint64_t ipa)
{
	for (unsigned int i = 0; i < img->segments; i++) {
		const struct segment *s = &img->segment[i];

		if (ipa >= s->ipa && ipa - s->ipa < s->size)
			return s->name;
	}
	return NULL;
}

static void print_range(const struct range *r)
{
	static const char *const what[] = {
		[DIFFERS] = "differ",
		[MISSING] = "are missing",
		[EXTRA] = "are there",
	};

	printf("%s: pages %#lx-%#lx %s", r->kind == EXTRA ? "not in the expected image" : r->part,
	       r->start, r->end, what[r->kind]);
	if (r->pages != (r->end - r->start) / TV_PAGE_SIZE)
		printf(" (%zu; the others are zero)", r->pages);
	putchar('\n');
}

static void print_hidden(struct report *report)
{
	if (report->hidden)
		printf("%s: %u more ranges\n",
		       report->last.part ? report->last.part : "not in the expected image",
		       report->hidden);
	report->shown = report->hidden = 0;
}

static void end_range(struct report *report)
{
	struct range *r = &report->now;

	if (r->kind == SAME)
		return;
	if (r->part != report->last.part)
		print_hidden(report);
	if (report->shown < RANGES) {
		print_range(r);
		report->shown++;
	} else {
		report->hidden++;
	}
	report->any = true;
	report->last = *r;
	r->kind = SAME;
}

static void add_page(struct report *report, enum kind kind, uint64_t ipa)
{
	const char *part = kind == SAME ? NULL : part_at(report->img, ipa);
	struct range *r = &report->now;

	/* Zeros are never loaded: within a part, content in their place is a difference. */
	if (kind == EXTRA && part)
		kind = DIFFERS;
	if (kind != r->kind || part != r->part)
		end_range(report);
	/* Between others' pages, those that neither has are the same: zero. Outside of all parts,
	 * a range is of pages one after the other. */
	if (kind == EXTRA && r->kind == EXTRA && r->end != ipa)
		end_range(report);
	if (kind == SAME)
		return;
	if (r->kind == SAME)
		*r = (struct range){.kind = kind, .part = part, .start = ipa};
	r->end = ipa + TV_PAGE_SIZE;
	r->pages++;
}

static bool explain_pages(const struct log *log, const struct log *want, const struct image *img)
{
	struct report report = {.img = img};
	size_t i = 0, j = 0;

	while (i < log->pages || j < want->pages) {
		uint64_t got = i < log->pages ? log_page_ipa(log, i) : UINT64_MAX;
		uint64_t wanted = j < want->pages ? log_page_ipa(want, j) : UINT64_MAX;

		if (got < wanted)
			add_page(&report, EXTRA, got);
		else if (wanted < got)
			add_page(&report, MISSING, wanted);
		else if (memcmp(log_page_hash(log, i), log_page_hash(want, j), DIGEST))
			add_page(&report, DIFFERS, got);
		else
			add_page(&report, SAME, got);
		i += got <= wanted;
		j += wanted <= got;
	}
	end_range(&report);
	print_hidden(&report);
	return report.any;
}

/* ---- all else ------------------------------------------------------------- */

static bool explain_features(uint64_t got, uint64_t want)
{
	if ((got ^ want) & TV_FEATURE_SVE)
		printf("CPU features: SVE vectors have %lu bytes, expected %lu (0: no SVE)\n",
		       16 * (got & TV_FEATURE_SVE), 16 * (want & TV_FEATURE_SVE));
	if ((got ^ want) & TV_FEATURE_PMU)
		printf("CPU features: %s PMU, expected %s\n", got & TV_FEATURE_PMU ? "a" : "no",
		       want & TV_FEATURE_PMU ? "one" : "none");
	return got != want;
}

static bool explain_range(unsigned int n, const struct log_ram *got, const struct log_ram *want)
{
	if (!got)
		printf("RAM range %u: missing: %#lx-%#lx\n", n, want->base,
		       want->base + want->size);
	else if (!want)
		printf("RAM range %u: not expected: %#lx-%#lx\n", n, got->base,
		       got->base + got->size);
	else if (got->base != want->base || got->size != want->size)
		printf("RAM range %u: %#lx-%#lx, expected %#lx-%#lx\n", n, got->base,
		       got->base + got->size, want->base, want->base + want->size);
	else
		return false;
	return true;
}

static bool explain_ram(const struct log *log, const struct log *want)
{
	bool any = false;

	for (unsigned int i = 0; i < log->rams || i < want->rams; i++)
		any |= explain_range(i, i < log->rams ? &log->ram[i] : NULL,
				     i < want->rams ? &want->ram[i] : NULL);
	return any;
}

static bool explain_word(unsigned int n, const char *name, uint64_t got, uint64_t want)
{
	if (got != want)
		printf("vCPU %u: %s is %#lx, expected %#lx\n", n, name, got, want);
	return got != want;
}

static bool explain_vcpu(unsigned int n, const struct log_vcpu *got, const struct log_vcpu *want)
{
	bool any = explain_word(n, "MPIDR", got->mpidr, want->mpidr);

	if (got->flags != want->flags)
		printf("vCPU %u: %s from the start\n", n, got->flags ? "runs" : "does not run");
	any |= got->flags != want->flags;
	any |= explain_word(n, "pc", got->pc, want->pc);
	for (unsigned int i = 0; i < LOG_GPRS; i++) {
		char name[4];

		snprintf(name, sizeof(name), "x%u", i);
		any |= explain_word(n, name, got->gpr[i], want->gpr[i]);
	}
	return any;
}

static bool explain_vcpus(const struct log *log, const struct log *want)
{
	bool any = log->vcpus != want->vcpus;

	if (any)
		printf("vCPUs: %u, expected %u\n", log->vcpus, want->vcpus);
	for (unsigned int i = 0; i < log->vcpus && i < want->vcpus; i++)
		any |= explain_vcpu(i, &log->vcpu[i], &want->vcpu[i]);
	return any;
}

bool log_explain(const struct log *log, const struct log *want, const struct image *img)
{
	bool any = explain_features(log->features, want->features);

	any |= explain_ram(log, want);
	any |= explain_pages(log, want, img);
	any |= explain_vcpus(log, want);
	return any;
}
