/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ABI between the three parties of TwinVisor:
 *
 *   N-visor    Linux/KVM at Non-secure EL2; untrusted
 *   dispatcher inside TF-A BL31 at EL3; carries calls between the worlds
 *   S-visor    at Secure EL2; judges every call
 *
 * All three include this file and nobody repeats its numbers. It needs
 * uint64_t and uint32_t from the includer (or <stdint.h>), and may be
 * included from assembly, where only the plain constants are seen.
 *
 * Calls follow the SMC Calling Convention (DEN 0028), SMC64 fast calls owned
 * by the Trusted OS range. Arguments are x1-x4; x5-x17 are ignored. Results
 * are x0 (a TV_E* code, signed) and x1-x4; x5-x17 are lost, all else is preserved, but after
 * TV_VCPU_RUN the FP, SIMD and SVE registers, SP_EL0 and what else docs/registers.md lists are the
 * caller's to restore.
 * An unknown number gives TV_ENOSYS. No call blocks; long work is cut into
 * pieces by TV_AGAIN. Once PSCI SYSTEM_RESET or SYSTEM_OFF was called, every
 * call gives TV_ESTATE.
 */
#ifndef TWINVISOR_ABI_H
#define TWINVISOR_ABI_H

#define TV_ABI_MAJOR 5
#define TV_ABI_MINOR 1

/* What a launch policy can ask for at least; rises with each fix that a tenant may insist on. */
#define TV_SVISOR_VERSION 1

/* ---- limits -------------------------------------------------------------- */

#define TV_PAGE_SHIFT 12
#define TV_PAGE_SIZE 4096
#define TV_CHUNK_SHIFT 23 /* 8 MiB: the unit of Split CMA */
#define TV_CHUNK_SIZE 0x800000
#define TV_MAX_CPUS 32     /* physical */
#define TV_MAX_VMS 64      /* S-VMs at once */
#define TV_MAX_VCPUS 32    /* of one S-VM */
#define TV_MAX_SVE 4       /* of an S-VM: 16-byte units of an SVE vector */
#define TV_MAX_RAM 4       /* RAM ranges of one S-VM */
#define TV_MAX_POOLS 4     /* of Split CMA */
#define TV_MAX_DRAM 4      /* banks of DRAM */
#define TV_MAX_BOUNCE 8192 /* pages of bounce memory of an S-VM */

/* ---- result codes (x0) --------------------------------------------------- */

#define TV_OK 0
#define TV_AGAIN 1     /* progress was made: make the same call again */
#define TV_ENOSYS -1   /* no such call (SMCCC's NOT_SUPPORTED) */
#define TV_EINVAL -2   /* an argument is malformed or out of range */
#define TV_EDENIED -3  /* the ledger forbids it: wrong owner, or mapped already */
#define TV_ENOENT -4   /* no such S-VM or vCPU, or the handle is stale */
#define TV_EBUSY -5    /* the vCPU runs on another CPU, or a vCPU of the S-VM does */
#define TV_ENOMEM -6   /* a table of the S-visor is full */
#define TV_ESTATE -7   /* the object's state does not allow this call */
#define TV_EFAULT -8   /* ordinary memory that was named could not be read or written */
#define TV_EMEASURE -9 /* the launch measurement is not the expected one */
#define TV_ENOHEAP \
	-10               /* the S-visor's own memory is used up: make the call again after \
			   * TV_CHUNK_TAKE of a chunk for TV_SVISOR */
#define TV_EPOLICY -11    /* the launch policy is malformed (docs/attestation.md) */
#define TV_ESIGNATURE -12 /* its signature is not its key's */
#define TV_EVERSION -13   /* it wants a newer S-visor */
#define TV_ELIFECYCLE -14 /* it does not allow a machine that can be debugged */

/* ---- calls: N-visor to S-visor ------------------------------------------- */

#define TV_SMC(n) (0xF2000000 | (n))

/* () -> x1 = TV_ABI_MAJOR << 16 | TV_ABI_MINOR, x2 = bits of a guest address,
 * x3 = the largest features that TV_VM_CREATE takes */
#define TV_VERSION TV_SMC(0x00)
/* (page) Names the calling CPU's shared page (struct tv_run), ordinary memory that is no pool's,
 * page aligned. TV_EINVAL: it is not. */
#define TV_CPU_SHARE TV_SMC(0x01)
/* (base, size) -> x1 = pool. Adds a pool of Split CMA: chunk aligned, in DRAM,
 * apart from other pools, not across a line of 4 GiB. All of it stays ordinary until chunks are
 * used. TV_EINVAL (also: a CPU's shared page is in it), TV_ENOMEM (pools or protection regions used
 * up), TV_ENOHEAP, TV_EBUSY (an N-VM maps memory that is in no pool). */
#define TV_POOL_ADD TV_SMC(0x02)
/* (pool) -> x1 = base of the chunk. The topmost chunk of the pool's Secure run
 * becomes ordinary, all zero, if it is free; or if it is TV_SVISOR's and no page of it is in
 * use. TV_EBUSY: it is in use, or the pool grows just now; TV_ENOENT: no such pool, or its run
 * is empty. */
#define TV_CHUNK_RETURN TV_SMC(0x03)
/* (table, ipa_bits, level, features) -> x1 = S-VM. table: root of the normal S2PT, which
 * is only ever read as a request; level: where its walk starts (0 or 1), 4 KiB
 * granule, roots concatenated as the Arm ARM has it (DDI 0487 D8.2.2).
 * features: TV_FEATURE_*, of those that a CPU may lack or a VM do without; measured.
 * TV_EINVAL (also: features that this machine does not have), TV_ENOMEM, TV_ENOHEAP. */
#define TV_VM_CREATE TV_SMC(0x04)
/* (vm, ipa, size) Declares a RAM range; page aligned, apart from the others.
 * Before sealing only. TV_ESTATE, TV_EINVAL, TV_ENOMEM. */
#define TV_VM_RAM TV_SMC(0x05)
/* (vm, mpidr, flags) -> x1 = vCPU index, counting from 0. Start state in the
 * shared page: gpr[], pc. flags: TV_VCPU_ON or 0. Before sealing only.
 * mpidr: affinity fields only, unique in the S-VM. TV_ENOMEM, TV_ENOHEAP. */
#define TV_VCPU_CREATE TV_SMC(0x06)
/* (vm, ipa, from, page) -> x1-x4 = SHA-256 of the page, as in TV_VM_MEASUREMENT. Copies the
 * ordinary page `from` into the private page
 * `page` (in a chunk that the S-VM has taken), maps it at ipa and measures it. ipa rises from
 * call to call, inside a RAM range. Before sealing only. TV_EDENIED: page is not this
 * S-VM's to have; TV_EFAULT: `from` is not ordinary memory; TV_ENOHEAP. This call and the next
 * leave vector registers 0. */
#define TV_VM_LOAD TV_SMC(0x07)
/* (vm) Ends the launch: RAM, contents and vCPUs are fixed and measured.
 * TV_ESTATE: sealed already, or no vCPU. TV_EMEASURE, TV_EVERSION, TV_ELIFECYCLE: against the
 * policy; the S-VM never runs, but its measurement can be had. */
#define TV_VM_SEAL TV_SMC(0x08)
/* (vm) -> x1-x4 = the launch measurement, SHA-256; x1 holds bytes 0-7, byte 0
 * in the lowest bits. TV_ESTATE: not sealed. */
#define TV_VM_MEASUREMENT TV_SMC(0x09)
/* (vm, vcpu) The call gate. Runs the vCPU until something needs the N-visor;
 * struct tv_run of the calling CPU says what the N-visor wants (entry) and what
 * happened (exit). A stage-2 fault is served here, whenever it comes, if the normal S2PT asks for
 * a page or a block there, and pages that it asks for behind it along with it. TV_OK: see
 * run->exit. TV_EDENIED: the request found in the normal S2PT was refused; the vCPU did not run and
 * run->hpfar names the address; TV_ENOHEAP, the same. TV_EBUSY, TV_ESTATE (not sealed, vCPU is off,
 * S-VM stopped), TV_EFAULT (shared page), TV_EINVAL (entry fields; a list register that ties a
 * virtual interrupt to a physical one, ICH_LR<n>_EL2.HW, other than an EL1 timer's). */
#define TV_VCPU_RUN TV_SMC(0x0a)
/* (vm) Stops the S-VM, zeroes and frees its memory, chunk by chunk. TV_AGAIN
 * until done; TV_EBUSY while a vCPU runs (nothing has happened then). */
#define TV_VM_DESTROY TV_SMC(0x0b)
/* (what) Checks I1, I2 and I9 over ledger, shadow tables and controller.
 * -> x1 = violations found (0 when all is well), x2 = chunks in Secure runs,
 * x3 = S-VMs, x4 = free pages of the S-visor's own heap. TV_EBUSY: a vCPU runs.
 * For tests and operators: takes time with the amount of Secure memory, all locks held. */
#define TV_AUDIT TV_SMC(0x0c)

/* (vm, chunk) Gives the chunk to the S-VM, whose pages can come from it then, if it is free in
 * its pool's run, or the one just above it: that becomes Secure and is zeroed. vm TV_SVISOR: to the
 * S-visor, for its own memory. TV_EDENIED: it is another's, or further above; TV_EBUSY: the
 * pool grows just now; TV_EINVAL, TV_ESTATE, TV_ENOHEAP. */
#define TV_CHUNK_TAKE TV_SMC(0x0d)

/* (what) Counts, all of one moment; vCPUs may run meanwhile.
 * TV_STATS_VMS: -> x1 = S-VMs (as many VMIDs are in use), x2 = chunks that they own, x3 = chunks
 * in Secure runs, x4 = those of TV_SVISOR. TV_STATS_HEAP: the S-visor's own memory, in pages: -> x1
 * = all, x2 = free, x3 = on the record of a pool or an S-VM; what x1 has beyond x2 + x3 is lost.
 * TV_EINVAL; TV_EBUSY: another CPU has kept one of the S-visor's locks for seconds. */
#define TV_STATS TV_SMC(0x0e)

/* (vm, from, to) Moves the S-VM's pages out of its chunk `from` into its chunk `to`, at the same
 * offsets, at most 2 MiB a call, with its vCPUs running: TV_AGAIN as long as there are any. TV_OK:
 * `from` is free. Where a page is to go, no page of `to` may be given out: TV_EDENIED. Given up
 * half way, it is undone by the same call with `from` and `to` exchanged. TV_EDENIED also: they
 * are not both the S-VM's, or the same; TV_ESTATE: the S-VM is dying. */
#define TV_CHUNK_MOVE TV_SMC(0x0f)

/* (vm, ipa, pages) The S-VM's bounce memory, for the rings and buffers of its devices and the
 * tables of LPIs: back ends find it at guest addresses from ipa on, which are only passed on to
 * them; it can have up to that many pages, 1 to TV_MAX_BOUNCE, ipa a multiple of 64 KiB, not across
 * a line of 4 GiB. At first none. Before sealing only, once. Without it, an S-VM has no virtio
 * devices. TV_ESTATE, TV_EINVAL, TV_ENOHEAP. */
#define TV_VM_BOUNCE TV_SMC(0x10)
/* (vm, count) -> x1 = pages that it has then. Adds ordinary pages, whose addresses, 64 bits each,
 * are at TV_RUN_DATA of the shared page: behind those that are there, in this order. They stay
 * ordinary, and pinned, till TV_BOUNCE_TRIM or the S-VM's end; while one is not, I/O fails.
 * TV_EINVAL: not ordinary, or not 1 to 256 of them; TV_ENOMEM: more than TV_VM_BOUNCE said;
 * TV_ESTATE: not sealed; TV_EFAULT. */
#define TV_BOUNCE_ADD TV_SMC(0x11)
/* (vm) -> x1 = pages that it has then: those behind the last one in use are no longer. */
#define TV_BOUNCE_TRIM TV_SMC(0x12)

/* (vm, ipa, from) Flash that is no RAM, at a FAULT exit that reads it: the guest finds a copy of
 * the ordinary page `from` at ipa, read-only, till it writes to any flash, which is MMIO then.
 * TV_EINVAL: no flash there (by the measured device tree), or `from` is not ordinary; TV_ESTATE;
 * TV_EFAULT, TV_ENOHEAP. */
#define TV_VM_SHOW TV_SMC(0x13)

/* (vm, n) The n-th queue of the S-VM's devices that is in use, from 0 on: a struct tv_queue, at
 * TV_RUN_DATA of the shared page. TV_ENOENT also: there are fewer; TV_EFAULT. */
#define TV_QUEUE_STATS TV_SMC(0x14)

/* (on) From now on (1), or no longer (0), the exits of all S-VMs are counted with which the S-visor
 * deals by itself. TV_EINVAL. */
#define TV_WATCH TV_SMC(0x15)
/* (vm) -> x1 = such exits of the S-VM's so far. */
#define TV_VM_ANSWERED TV_SMC(0x16)
/* (vm, chunk) The S-VM's chunk, of which no page is given out, is free, as after TV_EXIT_UNUSED.
 * TV_EDENIED: it is not the S-VM's, or a page is; TV_ESTATE: the S-VM is dying. */
#define TV_CHUNK_FREE TV_SMC(0x17)

/* (vm, size) The S-VM's launch policy, 1 to TV_RUN_DATA_SIZE bytes at TV_RUN_DATA of the shared
 * page (docs/attestation.md). Before sealing only, once. TV_AGAIN: its signature is being checked,
 * and the shared page is not read again. TV_EPOLICY, TV_ESIGNATURE, TV_ESTATE, TV_EINVAL,
 * TV_EFAULT, TV_ENOHEAP. */
#define TV_VM_POLICY TV_SMC(0x18)
/* (offset) -> x1 = bytes of the firmware's event log (TCG PC Client, crypto agile), which is at
 * TV_RUN_DATA of the shared page from there on, as much as fits. TV_ENOENT: there is none;
 * TV_EINVAL: offset is beyond; TV_EFAULT. */
#define TV_EVENT_LOG TV_SMC(0x19)

/* The next ones are of cores without Secure EL2 (docs/havmsi.md). There the S-visor has EL2 and the
 * N-visor is at EL1, under a stage 2 of its own; all calls are the same SMCs. Elsewhere: TV_ENOSYS.
 */

/* () -> x1 = ICH_VTR_EL2. */
#define TV_HOST_INFO TV_SMC(0x1a)
/* (table, ipa_bits, level) -> x1 = N-VM: an ordinary VM. As TV_VM_CREATE has them. It is not
 * protected, but its stage-2 table is the S-visor's, and holds what the normal S2PT asks for, with
 * the rights asked for, of ordinary memory alone. TV_EINVAL, TV_ENOMEM, TV_ENOHEAP. */
#define TV_NVM_CREATE TV_SMC(0x1b)
/* (n-vm, mpidr) Runs a vCPU of it, with the state that is in the shared page, till the next
 * exception: struct tv_run.gpr and .pc, .cntvoff, .flags (TV_RUN_SERROR or 0); struct tv_gic,
 * tv_state, tv_fp, all of which are as the guest has left them then; tv_run.exit is
 * TV_EXIT_SYNC, _IRQ or _NVM_SERROR, and esr, far and hpfar are the hardware's. A stage-2 fault is
 * served here if the normal S2PT allows the access. TV_EDENIED: it asks for what is not ordinary
 * memory at run->hpfar; TV_EINVAL: a pstate of another level, or a virtual interrupt as in
 * TV_VCPU_RUN; TV_ENOHEAP, TV_EFAULT. */
#define TV_NVM_RUN TV_SMC(0x1c)
/* (n-vm, ipa, size) The normal S2PT has changed in [ipa, ipa + size), and no CPU uses what it asked
 * for there before: what a TLBI is elsewhere. size 0: anywhere. TV_EINVAL. */
#define TV_NVM_FORGET TV_SMC(0x1d)
/* (n-vm) TV_EBUSY: a vCPU runs. */
#define TV_NVM_DESTROY TV_SMC(0x1e)

#define TV_CALLS 0x1f /* number of calls above */

#define TV_SVISOR 0 /* a vm that is none: the S-visor itself */

#define TV_STATS_VMS 0
#define TV_STATS_HEAP 1

#define TV_FEATURE_SVE 0xff  /* the longest vector, in units of 16 bytes; 0: no SVE */
#define TV_FEATURE_PMU 0x100 /* PMUv3 */

/* ---- calls: an S-VM to the S-visor --------------------------------------- */

/* HVC or SMC, answered by the S-visor alone. The attestation part of Arm's Realm Services Interface
 * (DEN 0137 1.0, B5), with RSI's numbers, arguments and results (docs/attestation.md). */
#define TV_RSI_VERSION 0xC4000190
#define TV_RSI_FEATURES 0xC4000191
#define TV_RSI_MEASUREMENT_READ 0xC4000192
#define TV_RSI_MEASUREMENT_EXTEND 0xC4000193
#define TV_RSI_TOKEN_INIT 0xC4000194
#define TV_RSI_TOKEN_CONTINUE 0xC4000195
/* and one more, a vendor-specific hypervisor call: (label[4]: x1-x4) -> x0 = 0 or -1, x1-x4 = a
 * key of 32 bytes, the same for this label as long as device, firmware, launch measurement and
 * policy are the same; byte 0 in the lowest bits of x1. */
#define TV_GUEST_SEAL 0xC6005400

#define TV_RSI_SUCCESS 0
#define TV_RSI_ERROR_INPUT 1
#define TV_RSI_ERROR_STATE 2
#define TV_RSI_INCOMPLETE 3

#define TV_VCPU_ON 1 /* runs from the start, not by PSCI CPU_ON */

/* ---- calls: S-visor to dispatcher (refused from the normal world) -------- */

/* READY and RETURN come back with the next call in x0-x4, from the place of READY; x5-x30 are the
 * caller's. SP_EL2 and what S-EL2 itself runs on are at RETURN as at READY. */
/* (-, -, -, -, status) Boot of this CPU is over: 0, or a TV_E* code. */
#define TV_SVISOR_READY TV_SMC(0x40)
/* (r1, r2, r3, r4, r0) Ends a call: the normal world sees r0-r4 in x0-x4. */
#define TV_SVISOR_RETURN TV_SMC(0x41)
/* (on) May counters of the PMU count in the Secure world? Not when a call begins. */
#define TV_SVISOR_COUNT TV_SMC(0x43)

/* ---- calls: dispatcher to S-visor (refused from the normal world) -------- */

/* () The machine goes down. Ends all S-VMs and zeroes all their memory; answered
 * as a call is, by TV_SVISOR_RETURN with TV_OK, when that is done. */
#define TV_DISPATCH_WIPE TV_SMC(0x42)

/* ---- calls: S-visor at EL2 to EL3 (refused from anywhere else) ------------ */

/* (address) -> x1 = 32 bits of a device that only the Secure world reaches and that the manifest
 * names: the TZC-400's page, or the UART's. TV_EINVAL: of no other. */
#define TV_EL3_READ TV_SMC(0x44)
/* (address, value) */
#define TV_EL3_WRITE TV_SMC(0x45)

/* ---- exits (tv_run.exit) ------------------------------------------------- */

/* esr, far and hpfar hold only what the exit's line shows, the rest is zero; of gpr[] only that is
 * written. esr is laid out as ESR_EL2 (DDI 0487 D24.2.40), hpfar as HPFAR_EL2 with
 * NS = 0. */
#define TV_EXIT_IRQ 0 /* nothing: an interrupt for the normal world is pending */
#define TV_EXIT_WFX 1 /* esr: EC, TI */
#define TV_EXIT_FAULT \
	2 /* RAM not mapped, or flash that is read: esr: EC, WnR, FSC; hpfar: page \
	   */
#define TV_EXIT_MMIO \
	3                /* outside RAM: esr: EC, ISV, SAS, SSE, SRT, SF, WnR, FSC; hpfar; \
			  * far: bits 11:0; gpr[SRT] of a write, only its SAS bytes, as they are on \
			  * the bus: turned round for a guest whose data are big-endian */
#define TV_EXIT_CALL 4   /* HVC or SMC: esr: EC, imm; gpr[0]-gpr[3] */
#define TV_EXIT_SYSREG 5 /* esr: as trapped; gpr[Rt] of a write */
#define TV_EXIT_SERROR \
	6             /* a physical SError came while the guest ran, and was taken: esr: EC, \
		       * IDS, IESB, AET, EA, DFSC. It is the N-visor's to handle. */
#define TV_EXIT_OFF 7 /* the vCPU turned itself off and waits for CPU_ON */
/* The guest's I/O goes no further without more bounce memory, `size` bytes in a row: TV_BOUNCE_ADD,
 * and enter again. */
#define TV_EXIT_BOUNCE 8
/* The guest has given up pages, by its balloon: of the chunk at `size` none is given out any more.
 * TV_CHUNK_FREE, or not; and enter again. */
#define TV_EXIT_UNUSED 9

/* Of TV_NVM_RUN: a synchronous exception to EL2, a physical SError; TV_EXIT_IRQ as above */
#define TV_EXIT_SYNC 10
#define TV_EXIT_NVM_SERROR 11

/* ---- lines (tv_run.lines) ------------------------------------------------- */

/* Levels of interrupts that the vCPU itself makes. Of an exit that shows nothing else, too. */
#define TV_LINE_PMU 1 /* PMU overflow */

/* ---- late interrupts (tv_run.late) ---------------------------------------- */

/* Which interrupt may have been lost: a back end may have looked whether the guest wants one just
 * after the S-visor had copied in what it would be about (docs/io.md). It is to be made pending:
 * one too many does no harm. */
#define TV_LATE_WIRED 1 /* of a device that has a line to the GIC: whichever that is */
/* an MSI: bits 47:32, the function's requester ID; 31:0, the data that the guest has set for it */
#define TV_LATE_MSI (1ULL << 63)

/* ---- entry flags (tv_run.flags) ------------------------------------------ */

/* The last exit was served: take its results (gpr[SRT] of an MMIO read,
 * gpr[0]-gpr[3] of a call, gpr[Rt] of a register read) and step past the
 * instruction. Without it the instruction runs again. WFx and calls by HVC are
 * always stepped past. */
#define TV_RUN_DONE 1
#define TV_RUN_UNDEF 2  /* inject Undefined; after CALL and SYSREG only */
#define TV_RUN_ABORT 4  /* inject a synchronous external abort; after FAULT and MMIO only */
#define TV_RUN_SERROR 8 /* make a virtual SError pending; after any exit */

/* ---- the shared page behind struct tv_run -------------------------------- */

#define TV_RUN_DATA 2048 /* offset of what some calls take or give ... */
#define TV_RUN_DATA_SIZE 2048

/* On cores without Secure EL2: */
#define TV_RUN_GIC 512   /* struct tv_gic: of TV_VCPU_RUN and TV_NVM_RUN */
#define TV_RUN_STATE 768 /* struct tv_state: of TV_NVM_RUN */
#define TV_RUN_FP 1024   /* struct tv_fp: of TV_NVM_RUN */
#define TV_MAX_LISTS 16  /* list registers */

#ifndef __ASSEMBLER__

/*
 * The page shared by N-visor and S-visor, one a physical CPU. The S-visor reads each field that an
 * entry takes once, and of gpr[] only what the exit before has results in; it never reads back what
 * it has written.
 */
struct tv_run {
	uint64_t gpr[31];
	uint64_t flags;   /* entry: TV_RUN_* */
	uint64_t cntvoff; /* entry: CNTVOFF_EL2 wanted; the guest's counter never goes back */
	uint64_t pc;      /* TV_VCPU_CREATE: the first PC */
	uint64_t exit;    /* exit: TV_EXIT_* */
	uint64_t esr;     /* exit */
	uint64_t far;     /* exit */
	uint64_t hpfar;   /* exit */
	uint64_t size;    /* exit BOUNCE: bytes; UNUSED: a chunk's address */
	uint64_t stolen;  /* entry: ns so far in which the vCPU was ready and did not run */
	uint64_t lines;   /* exit: TV_LINE_* */
	uint64_t late;    /* exit: TV_LATE_*, or 0 */
};

/* The virtual GIC's CPU interface (IHI 0069, 12.4), which the N-visor cannot reach from EL1: loaded
 * at entry, as the guest left it at exit. */
struct tv_gic {
	uint64_t hcr, vmcr; /* ICH_HCR_EL2, ICH_VMCR_EL2 */
	uint64_t lists;     /* entry: how many of lr[] there are; the others are empty */
	uint64_t lr[TV_MAX_LISTS];
	uint64_t ap0r[4], ap1r[4];
};

/* An N-VM's vCPU, besides tv_run.gpr and .pc. */
struct tv_state {
	uint64_t pstate;
	uint64_t traps; /* entry: bits of HCR_EL2 that trap more: TVM, TRVM, TSW, TWE, TID1, TID2 */
	uint64_t sctlr, cpacr, ttbr0, ttbr1, tcr, mair, amair, vbar, contextidr, esr, afsr0, afsr1;
	uint64_t far, par, elr, spsr, sp_el0, sp_el1, tpidr_el0, tpidrro_el0, tpidr_el1, csselr;
	uint64_t mdscr, cntkctl; /* all of these of EL1, if not said otherwise */
};

struct tv_fp {
	uint8_t q[32][16];
	uint64_t fpcr, fpsr;
};

/* What the S-visor tells of a queue. Bytes and copies are of buffers: out, that the device reads;
 * in, that it wrote. */
struct tv_queue {
	uint64_t where; /* where the guest notifies the device */
	uint32_t index, size;
	uint32_t broken; /* by guest or back end: of no use till the device is reset */
	uint32_t flying; /* requests that the back end has */
	uint64_t requests, bytes_out, bytes_in, copies;
	uint64_t notified;  /* by the guest: as many of its exits, most of them no further than here
			     */
	uint64_t forwarded; /* notifications that the back end wanted */
	uint64_t refused;   /* descriptors of the guest, used elements of the back end */
};

/*
 * What BL31 tells the S-visor about the board. It lies in Secure memory, cleaned
 * to the point of coherency. The S-visor is entered at EL2h on each CPU, MMU and
 * caches off, DAIF set, at tv_manifest.base, with x0 = the manifest's address,
 * x1 = the CPU's linear index, x2 = 1 on the first (cold) entry of all and 0 on
 * later ones, and answers with TV_SVISOR_READY.
 * Without Secure EL2, all of the S-visor's memory is ordinary DRAM that no device's NSAID reaches
 * in the TZC-400 (last region), and BL31 enters it once, in the same way, at Non-secure EL2, in
 * place of the kernel, as CPU 0; it starts the kernel itself, and other CPUs with PSCI's CPU_ON.
 */
#define TV_MANIFEST_MAGIC 0x3156544d /* "MTV1" */

struct tv_manifest {
	uint32_t magic;
	uint32_t cpus;       /* CPUs that may ever come up */
	uint64_t base, size; /* the S-visor's memory: image, then free; Secure since reset */
	uint64_t uart;       /* a PL011 of the Secure world, or 0 */
	uint64_t tzc;        /* a TZC-400 in front of all of dram[] */
	uint32_t drams;
	uint32_t timers; /* bit n: PPI 16 + n is an EL1 timer's, Non-secure */
	uint64_t boot;   /* struct tv_boot, Secure, the S-visor's to erase; or 0: no attestation */
	uint64_t host;   /* without Secure EL2: where the N-visor starts, at EL1, ... */
	uint64_t host_x[4]; /* ... with these in x0-x3 */
	struct {
		uint64_t base, size;
	} dram[TV_MAX_DRAM];
};

/*
 * What BL2 knows of the boot, once it has checked and measured all images (docs/attestation.md).
 * It lies in the last TV_BOOT_SIZE bytes of the S-visor's memory. The keys are derived from the
 * device's secret and from what was measured: another S-visor or firmware has others.
 */
#define TV_BOOT_MAGIC 0x3142544d /* "MTB1" */
#define TV_BOOT_SIZE 0x3000

#define TV_LIFECYCLE_DEVELOPMENT 0x1000 /* the device's secret is the published one, say */
#define TV_LIFECYCLE_SECURED 0x3000

struct tv_boot {
	uint32_t magic;
	uint32_t lifecycle; /* TV_LIFECYCLE_*, as in CCA's platform token */
	uint8_t key[32];    /* private key of the S-visor, P-256, big-endian */
	uint8_t seal[32];   /* what sealing keys are derived from */
	uint32_t token_size, log_size;
	uint8_t token[3072]; /* COSE_Sign1 by the device's key: platform claims, the S-visor's key
			      */
	uint8_t log[4096];   /* TCG event log */
};

/*
 * The launch measurement is SHA-256 over these records, in this order, each
 * little-endian and without padding:
 *   u64 TV_MEASURE_HEAD
 *   the CPU:                          u64 TV_MEASURE_CPU, u64 features
 *   for each RAM range, as declared:  u64 TV_MEASURE_RAM, u64 ipa, u64 size
 *   for each loaded page, ipa rising: u64 TV_MEASURE_PAGE, u64 ipa, SHA-256 of the page
 *   for each vCPU, in order:          u64 TV_MEASURE_VCPU, u64 mpidr, u64 flags,
 *                                     u64 pc, 31 x u64 gpr
 */
#define TV_MEASURE_HEAD 0x32306d7653564d54 /* "TMVSvm02" */
#define TV_MEASURE_RAM 1
#define TV_MEASURE_PAGE 2
#define TV_MEASURE_VCPU 3
#define TV_MEASURE_CPU 4

#endif /* !__ASSEMBLER__ */
#endif /* TWINVISOR_ABI_H */
