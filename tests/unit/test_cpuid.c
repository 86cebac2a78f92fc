// SPDX-License-Identifier: BSD-3-Clause
/* What a guest reads in the ID registers. */
#include "fixture.h"

#define ID(crm, op2) (8 * (crm) + (op2))
#define PFR0 ID(4, 0)
#define DFR0 ID(5, 0)
#define MMFR0 ID(7, 0)
#define NIBBLE(n) (0xfULL << (4 * (n)))

#define MRS(op1, crn, crm, op2, rt) \
	(EC(0x18) | 3 << 20 | (uint64_t)(op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | \
	 (uint64_t)(crm) << 1 | 1)
#define MRS_ID(reg, rt) MRS(0, 0, (reg) / 8, (reg) % 8, rt)
#define JUNK 0x1234567812345678UL

static struct svm vm;

/* An S-VM on a machine whose ID registers are what the test has put there. */
static void launch(void)
{
	host_boot(&host_manifest);
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		host_cpu(cpu);
		check_eq(smc(TV_CPU_SHARE, ordinary_page(), 0, 0, 0), TV_OK);
	}
	host_cpu(0);
	add_pool();
	vm = svm_launch(0, 1, 1);
}

static void junk_x7(struct guest_regs *regs)
{
	regs->x[7] = JUNK;
}

static uint64_t read_id(unsigned reg)
{
	GUEST({{GUEST_SYNC, MRS_ID(reg, 7), 0, 0}, junk_x7});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 2);
	return guest_saw.x[7];
}

/* All registers with the same value in every field. */
static void machine_of(uint64_t value)
{
	host_reset();
	for (unsigned reg = 0; reg < 64; reg++)
		host_id[reg] = value;
}

TEST(id_served, "an ID register is read without the N-visor, and stepped past")
{
	machine_of(0);
	host_id[PFR0] = 0x12;
	launch();
	check_eq(read_id(PFR0), 0x12);
	check_eq(guest_saw.pc, RAM + 4);
	GUEST({{GUEST_SYNC, MRS_ID(PFR0, 31), 0, 0}, junk_x7});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_runs, 2);
	check_eq(guest_saw.pc, RAM + 8);
}

TEST(id_others, "what is no read of an ID register is the N-visor's")
{
	static const uint64_t others[] = {
		MRS(0, 0, 0, 0, 7), MRS(1, 0, 4, 0, 7),     MRS(0, 1, 4, 0, 7),
		MRS(0, 0, 8, 0, 7), MRS_ID(PFR0, 7) & ~1UL, MRS_ID(PFR0, 7) ^ 1 << 20,
	};

	machine_of(0);
	launch();
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		GUEST({{GUEST_SYNC, others[i], 0, 0}, junk_x7});
		check_eq(run(&vm, 0, i ? TV_RUN_DONE : 0), TV_OK);
		check_eq(shared()->exit, TV_EXIT_SYSREG);
		check_eq(shared()->gpr[7], others[i] & 1 ? 0 : JUNK);
	}
}

TEST(id_hardware, "what the machine has less of stays as it is")
{
	machine_of(0x1111111111111111);
	host_id[PFR0] ^= 3; /* AArch32 at EL0 */
	svm_features = 1;
	launch();
	check_eq(read_id(PFR0), 0x1101000111110012);
	check_eq(read_id(ID(4, 1)), 0x100000011);
	check_eq(read_id(ID(6, 0)), 0x1111111110111110);
	check_eq(read_id(ID(2, 0)), 0x11111111);
}

/* Register and field, the most that may be seen. */
TEST(id_cut, "what is trapped or not switched reads as not there, however much the machine has")
{
	static const struct {
		unsigned reg, nibble, most;
	} cut[] = {
		{PFR0, 0, 2},      {PFR0, 1, 1},      {PFR0, 2, 0},     {PFR0, 3, 0},
		{PFR0, 6, 1},      {PFR0, 7, 1},      {PFR0, 9, 0},     {PFR0, 10, 0},
		{PFR0, 11, 0},     {PFR0, 13, 0},     {PFR0, 14, 1},    {ID(4, 1), 2, 0},
		{ID(4, 1), 6, 0},  {ID(4, 1), 8, 1},  {ID(4, 1), 9, 0}, {ID(4, 1), 11, 0},
		{ID(4, 5), 0, 0},  {ID(4, 7), 7, 0},  {DFR0, 1, 0},     {DFR0, 8, 0},
		{DFR0, 10, 0},     {DFR0, 11, 0},     {DFR0, 13, 0},    {ID(5, 1), 0, 0},
		{ID(5, 4), 0, 0},  {ID(6, 1), 15, 0}, {ID(6, 2), 8, 0}, {ID(6, 3), 0, 0},
		{MMFR0, 0, 5},     {MMFR0, 3, 0},     {MMFR0, 5, 1},    {MMFR0, 14, 0},
		{MMFR0, 15, 1},    {ID(7, 1), 1, 0},  {ID(7, 1), 2, 0}, {ID(7, 1), 4, 0},
		{ID(7, 1), 0, 2},  {ID(7, 1), 10, 0}, {ID(7, 2), 6, 0}, {ID(7, 2), 10, 0},
		{ID(7, 2), 13, 0}, {ID(7, 3), 0, 0},  {ID(7, 3), 1, 0}, {ID(7, 4), 6, 0},
		{ID(1, 1), 3, 0},  {ID(1, 0), 5, 0},  {ID(1, 3), 0, 0},
	};

	machine_of(0x7777777777777777);
	launch();
	for (unsigned i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		check_eq(read_id(cut[i].reg) >> (4 * cut[i].nibble) & 0xf, cut[i].most);
}

TEST(id_signed, "in signed fields 0xf is the least")
{
	machine_of(0);
	host_id[PFR0] = NIBBLE(4) | NIBBLE(5); /* no FP */
	host_id[MMFR0] = NIBBLE(6) | 1ULL << 28;
	launch();
	check_eq(read_id(PFR0) & (NIBBLE(4) | NIBBLE(5)), NIBBLE(4) | NIBBLE(5));
	check_eq(read_id(MMFR0), NIBBLE(6)); /* no 64 KiB; 4 KiB, without 52 bits */
	check_eq(read_id(DFR0) & NIBBLE(9), NIBBLE(9));
}

TEST(id_aarch32, "registers that describe AArch32 are zero where it is not there")
{
	machine_of(0x1111111111111111);
	launch();
	for (unsigned reg = ID(1, 0); reg < ID(4, 0); reg++)
		check_eq(read_id(reg), 0);
}

TEST(id_same, "all CPUs show what the first one had at boot")
{
	machine_of(0x2222222222222222);
	launch();
	host_id[ID(6, 0)] = 0;
	host_cpu(1);
	check_eq(read_id(ID(6, 0)), 0x1221111110212120);
}

TEST(id_later_cpu, "a CPU that comes up later with less is refused, with more is not")
{
	machine_of(0x1111111111111111);
	launch();
	check_eq(svisor_join(), TV_OK);
	host_id[ID(6, 0)] += 1UL << 4;
	check_eq(svisor_join(), TV_OK);
	host_id[ID(6, 0)] -= 1UL << 8;
	check_eq(svisor_join(), TV_EINVAL);
	host_id[ID(6, 0)] += 1UL << 8;
	host_id[MMFR0] |= NIBBLE(7); /* signed: no 4 KiB */
	check_eq(svisor_join(), TV_EINVAL);
	host_id[MMFR0] = 0x1111111111111111;
	host_id[ID(4, 1)] &= ~NIBBLE(2); /* MTE, which no guest has */
	check_eq(svisor_join(), TV_OK);
}

static int64_t create(uint64_t features)
{
	return smc(TV_VM_CREATE, npt_new().root, NPT_BITS, NPT_LEVEL, features);
}

TEST(features_range, "an S-VM has only features that the machine and the S-visor have")
{
	boot();
	check_eq(create(TV_FEATURE_PMU | 4), TV_OK);
	check_eq(create(0), TV_OK);
	check_eq(create(1), TV_OK);
	check_eq(create(3), TV_EINVAL); /* no such length */
	check_eq(create(8), TV_EINVAL); /* the machine's, but not kept */
	check_eq(create(0xff), TV_EINVAL);
	check_eq(create(1UL << 32), TV_EINVAL);
	check_eq(create(1UL << 9), TV_EINVAL);
	check_eq(create(1UL << 63 | 1), TV_EINVAL);
}

TEST(features_none, "nobody gets SVE or a PMU from a machine without")
{
	host_reset();
	host_sve = 0;
	host_id[DFR0] = 0xf << 8; /* IMPLEMENTATION DEFINED */
	launch();
	check_eq(call(TV_VERSION, 0, 0, 0, 0).x[3], 0);
	check_eq(create(1), TV_EINVAL);
	check_eq(create(TV_FEATURE_PMU), TV_EINVAL);
	check_eq(create(0), TV_OK);
	check_eq(read_id(DFR0) & NIBBLE(2), 0);
	host_reset();
	host_id[DFR0] = 0;
	host_boot(&host_manifest);
	check_eq(call(TV_VERSION, 0, 0, 0, 0).x[3], 4);
}

TEST(features_shown, "ID registers show the S-VM's features")
{
	static const uint64_t features[] = {0, 2, TV_FEATURE_PMU, TV_FEATURE_PMU | 4};

	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		bool sve = features[i] & TV_FEATURE_SVE, pmu = features[i] & TV_FEATURE_PMU;

		machine_of(0x1111111111111111);
		host_id[PFR0] ^= 3;
		svm_features = features[i];
		launch();
		check_eq(read_id(PFR0), sve ? 0x1101000111110012 : 0x1101000011110012);
		check_eq(read_id(ID(4, 4)), sve ? 0x0110110101110011 : 0);
		check_eq(read_id(DFR0) >> 8 & 0xf, pmu);
		check_eq(read_id(ID(1, 2)) >> 24 & 0xf, pmu);
		check_eq(guest_saw.features, features[i]);
		check_eq(svm_destroy(vm.handle), TV_OK);
	}
}

TEST(features_later_cpu, "a CPU that comes up later with other vector lengths is refused")
{
	boot();
	host_sve &= ~(1 << 8); /* not kept */
	check_eq(svisor_join(), TV_OK);
	host_sve |= 1 << 3;
	check_eq(svisor_join(), TV_EINVAL);
	host_sve = 1 << 1 | 1 << 2;
	check_eq(svisor_join(), TV_EINVAL);
}
