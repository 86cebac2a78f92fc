// SPDX-License-Identifier: BSD-3-Clause
/*
 * A plugin of QEMU's: counts the instructions that the emulated machine executes, by who executes
 * them. A CPU that waits executes none.
 *
 *   -plugin count.so,out=FILE[,profile=DIR][,el2=svisor]
 *
 * At a mark (mark.h) it appends a line to FILE: the label, and the counts of all CPUs since
 * power-on, in the order of enum who; then those of the instructions that take silicon more than
 * others, for each of enum who in the order of enum event. With profile=DIR, it also makes DIR/N
 * for the N-th mark: 'who address count' since the mark before it. With el2=svisor, Non-secure EL2
 * is the S-visor's.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qemu-plugin.h>

#include "mark.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum who { EL3, S_VISOR, HOST, HOST_USER, GUEST, GUEST_USER, WHO };
/* An exception is counted where it ends, by ERET. */
enum event { ERET, MRS, MSR, ISB, DSB, DMB, TLBI, EVENTS };

#define RUNS (1u << 22) /* that are told apart; the first WHO are for all others of each */
#define SCR_NS (1ull << 0)
#define HCR_IMO (1ull << 4) /* a guest's, if not TGE */
#define HCR_TGE (1ull << 27)

/* A run: instructions of which only the last can fault, so that all execute once or none. */
struct counts {
	uint64_t of[RUNS];
	uint64_t events[WHO][EVENTS];
};

/* DDI 0487, C4.1: the encodings of each event */
static const struct {
	uint32_t mask, value;
	enum event event;
} encodings[] = {
	{0xffffffff, 0xd69f03e0, ERET}, {0xfffffbff, 0xd69f0bff, ERET}, /* ERETAA, ERETAB */
	{0xfff00000, 0xd5300000, MRS},  {0xfff00000, 0xd5100000, MSR},
	{0xfffff0ff, 0xd50330df, ISB},  {0xfffff0ff, 0xd503309f, DSB},
	{0xfffff3ff, 0xd503323f, DSB},                                  /* nXS */
	{0xfffff0ff, 0xd50330bf, DMB},  {0xfff8e000, 0xd5088000, TLBI}, /* CRn 8 and 9 */
};

struct run {
	uint64_t address;
	enum who who;
	uint64_t last; /* at the last mark */
};

static struct qemu_plugin_scoreboard *board;
static struct run runs[RUNS];
static unsigned known = WHO - 1; /* the last */
static GHashTable *index_of[WHO];
static struct qemu_plugin_register *pstate, *scr, *hcr, *x0;
static FILE *out;
static const char *profile;
static enum who non_secure_el2 = HOST;
static unsigned marks;

static uint64_t read_register(struct qemu_plugin_register *handle)
{
	uint64_t value = 0;
	GByteArray *bytes = g_byte_array_new();

	if (handle && qemu_plugin_read_register(handle, bytes) > 0)
		memcpy(&value, bytes->data, MIN(bytes->len, sizeof(value)));
	g_byte_array_unref(bytes);
	return value;
}

static bool is_guest(void)
{
	return (read_register(hcr) & (HCR_IMO | HCR_TGE)) == HCR_IMO;
}

/* A block of code is translated for one exception level, and lies in one world's memory. */
static enum who executes(void)
{
	switch (read_register(pstate) >> 2 & 3) {
	case 3:
		return EL3;
	case 2:
		return read_register(scr) & SCR_NS ? non_secure_el2 : S_VISOR;
	case 1:
		return is_guest() ? GUEST : HOST;
	default:
		return is_guest() ? GUEST_USER : HOST_USER;
	}
}

static qemu_plugin_u64 counter(enum who who, uint64_t address)
{
	gpointer found = g_hash_table_lookup(index_of[who], (gpointer)address);
	unsigned i = GPOINTER_TO_UINT(found);

	if (!found) {
		i = known < RUNS - 1 ? ++known : who;
		runs[i].who = who;
		runs[i].address = i == known ? address : 0;
		g_hash_table_insert(index_of[who], (gpointer)address, GUINT_TO_POINTER(i));
	}
	return (qemu_plugin_u64){board, i * sizeof(uint64_t)};
}

static uint32_t opcode(const struct qemu_plugin_insn *insn)
{
	uint32_t word = 0;

	qemu_plugin_insn_data(insn, &word, sizeof(word));
	return word;
}

/* By bits 28-25: loads and stores; branches, exceptions and system instructions; SVE, some of which
 * are loads. */
static bool may_fault(uint32_t word)
{
	unsigned op0 = word >> 25 & 15;

	return (op0 & 5) == 4 || (op0 & 14) == 10 || op0 == 2;
}

static qemu_plugin_u64 event_counter(unsigned who, unsigned event)
{
	return (qemu_plugin_u64){board, offsetof(struct counts, events) +
						(who * EVENTS + event) * sizeof(uint64_t)};
}

static void count_event(struct qemu_plugin_insn *insn, enum who who, uint32_t word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++) {
		if ((word & encodings[i].mask) == encodings[i].value)
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				insn, QEMU_PLUGIN_INLINE_ADD_U64,
				event_counter(who, encodings[i].event), 1);
	}
}

static void tell_runs(void)
{
	char *path = g_strdup_printf("%s/%u", profile, marks);
	FILE *f = fopen(path, "w");

	for (unsigned i = 0; f && i <= known; i++) {
		uint64_t now = qemu_plugin_u64_sum((qemu_plugin_u64){board, i * sizeof(uint64_t)});

		if (now != runs[i].last)
			fprintf(f, "%d %" PRIx64 " %" PRIu64 "\n", runs[i].who, runs[i].address,
				now - runs[i].last);
		runs[i].last = now;
	}
	if (!f || fclose(f)) {
		perror(path);
		exit(1);
	}
	g_free(path);
}

static void mark(unsigned vcpu, void *unused)
{
	uint64_t total[WHO] = {0};

	(void)vcpu, (void)unused;
	for (unsigned i = 0; i <= known; i++)
		total[runs[i].who] +=
			qemu_plugin_u64_sum((qemu_plugin_u64){board, i * sizeof(uint64_t)});
	if (profile)
		tell_runs();
	marks++;
	fprintf(out, "%" PRIu64, read_register(x0));
	for (unsigned who = 0; who < WHO; who++)
		fprintf(out, " %" PRIu64, total[who]);
	for (unsigned i = 0; i < WHO * EVENTS; i++)
		fprintf(out, " %" PRIu64,
			qemu_plugin_u64_sum(event_counter(i / EVENTS, i % EVENTS)));
	fputc('\n', out);
	fflush(out);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	enum who who = executes();
	size_t n = qemu_plugin_tb_n_insns(tb), begin = 0;

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = opcode(insn);

		if (i + 1 == n || may_fault(word)) {
			struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, begin);

			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				first, QEMU_PLUGIN_INLINE_ADD_U64,
				counter(who, qemu_plugin_insn_vaddr(first)), i + 1 - begin);
			begin = i + 1;
		}
		count_event(insn, who, word);
		if (word == MARK)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, QEMU_PLUGIN_CB_R_REGS,
							       NULL);
	}
}

static struct qemu_plugin_register *find(GArray *all, const char *name)
{
	for (unsigned i = 0; i < all->len; i++) {
		qemu_plugin_reg_descriptor *r = &g_array_index(all, qemu_plugin_reg_descriptor, i);

		if (!strcmp(r->name, name))
			return r->handle;
	}
	fprintf(stderr, "count: no register %s\n", name);
	exit(1);
}

/* Handles are the same for all CPUs of a machine of one sort. */
static void begin(qemu_plugin_id_t id, unsigned vcpu)
{
	GArray *all = qemu_plugin_get_registers();

	(void)id, (void)vcpu;
	pstate = find(all, "cpsr");
	scr = find(all, "SCR_EL3");
	hcr = find(all, "HCR_EL2");
	x0 = find(all, "x0");
	g_array_free(all, true);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "out="))
			out = fopen(argv[i] + strlen("out="), "a");
		else if (g_str_has_prefix(argv[i], "profile="))
			profile = g_strdup(argv[i] + strlen("profile="));
		else if (!strcmp(argv[i], "el2=svisor"))
			non_secure_el2 = S_VISOR;
	}
	if (!out) {
		fprintf(stderr, "count: needs out=FILE\n");
		return 1;
	}
	for (unsigned who = 0; who < WHO; who++)
		index_of[who] = g_hash_table_new(NULL, NULL);
	board = qemu_plugin_scoreboard_new(sizeof(struct counts));
	qemu_plugin_register_vcpu_init_cb(id, begin);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
