/* SPDX-License-Identifier: BSD-3-Clause */
/* A launch log: the records of a launch measurement, as abi.h has them. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <twinvisor/abi.h>

#define LOG_ERROR 160
#define LOG_PAGE 48 /* bytes of a page's record */
#define LOG_GPRS 31

struct log_ram {
	uint64_t base, size;
};

struct log_vcpu {
	uint64_t mpidr, flags, pc, gpr[LOG_GPRS];
};

struct log {
	uint64_t features;
	struct log_ram ram[TV_MAX_RAM];
	unsigned int rams;
	const uint8_t *page; /* records, one after the other */
	size_t pages;
	struct log_vcpu vcpu[TV_MAX_VCPUS];
	unsigned int vcpus;
};

/* Reads a log, which may be hostile; what is read points into it. False: it is not what the S-visor
 * can have measured, and error[] names record and field. */
bool log_parse(const uint8_t *data, size_t size, struct log *log, char error[LOG_ERROR]);

uint64_t log_page_ipa(const struct log *log, size_t n);
const uint8_t *log_page_hash(const struct log *log, size_t n);

#endif
