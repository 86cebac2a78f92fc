/* SPDX-License-Identifier: BSD-3-Clause */
/* tv top: what S-VMs leave the guest for, a second. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/twinvisor.h>
#include <twinvisor/abi.h>

#include "tv.h"

#define LINE 512
#define HEAD_LINES 2
#define NAME 24
#define LEAST_DELAY 0.1
#define MOST_DELAY 86400.0

enum { EXITS, IRQ, WFX, FAULT, MMIO, CALL, SYSREG, BOUNCE, OTHER, ANSWERED, NOTIFY, LATE, RATES };

static const char *const titles[RATES] = {"EXITS",  "IRQ",    "WFX",   "FAULT",  "MMIO",   "CALL",
					  "SYSREG", "BOUNCE", "OTHER", "ANSWER", "NOTIFY", "LATE"};

struct row {
	struct twinvisor_vm vm;
	uint64_t count[RATES];
	double rate[RATES];
	bool matched; /* by a row of the next sample */
};

struct sample {
	struct timespec at;
	double time; /* since the one before */
	size_t rows;
	struct row *row;
};

struct options {
	double delay;
	unsigned long tables; /* 0: till it is ended */
	bool batch;
	bool answered; /* the S-visor counts them */
	size_t chosen; /* S-VMs, or 0: all */
	uint32_t choice[TV_MAX_VMS];
};

/* ---- figures ----------------------------------------------------------------- */

/* Notifications of all queues of the S-VM. */
static uint64_t notifications(int fd, uint32_t index)
{
	struct twinvisor_queue q = {.vm = index};
	uint64_t n = 0;

	for (; !ioctl(fd, TWINVISOR_QUEUE, &q); q.index++)
		n += q.notified;
	return n;
}

static void count(int fd, struct row *r)
{
	const __u64 *exits = r->vm.exits;

	for (int i = 0; i < TWINVISOR_EXITS; i++)
		r->count[EXITS] += exits[i];
	r->count[IRQ] = exits[TV_EXIT_IRQ];
	r->count[WFX] = exits[TV_EXIT_WFX];
	r->count[FAULT] = exits[TV_EXIT_FAULT];
	r->count[MMIO] = exits[TV_EXIT_MMIO];
	r->count[CALL] = exits[TV_EXIT_CALL];
	r->count[SYSREG] = exits[TV_EXIT_SYSREG];
	r->count[BOUNCE] = exits[TV_EXIT_BOUNCE];
	r->count[OTHER] = r->count[EXITS] + r->vm.refused;
	for (int i = IRQ; i < OTHER; i++)
		r->count[OTHER] -= r->count[i];
	r->count[ANSWERED] = r->vm.answered;
	r->count[NOTIFY] = notifications(fd, r->vm.index);
	r->count[LATE] = r->vm.late;
}

static struct sample take_sample(int fd)
{
	struct sample s = {0};
	struct twinvisor_vm vm;

	clock_gettime(CLOCK_MONOTONIC, &s.at);
	while (get_vm(fd, s.rows, &vm)) {
		s.row = reallocarray(s.row, s.rows + 1, sizeof(*s.row));
		if (!s.row)
			fail("no memory");
		s.row[s.rows] = (struct row){.vm = vm};
		count(fd, &s.row[s.rows++]);
	}
	return s;
}

/* The S-VM in an earlier sample, which has them in the same order. A reboot changes its handle. */
static struct row *find_earlier(struct sample *s, const struct row *r)
{
	for (size_t i = 0; i < s->rows; i++) {
		if (s->row[i].vm.pid == r->vm.pid && !s->row[i].matched) {
			s->row[i].matched = true;
			return &s->row[i];
		}
	}
	return NULL;
}

static double seconds(struct timespec from, struct timespec to)
{
	return to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9;
}

/* All that a new S-VM has done, and what the S-visor has counted since a reboot, is of this time.
 */
static void find_rates(struct sample *before, struct sample *now)
{
	now->time = seconds(before->at, now->at);
	for (struct row *r = now->row; r < now->row + now->rows; r++) {
		const struct row *old = find_earlier(before, r);

		for (int i = 0; i < RATES; i++) {
			bool goes_on = old && old->count[i] <= r->count[i];

			r->rate[i] = (r->count[i] - (goes_on ? old->count[i] : 0)) / now->time;
		}
	}
}

static int by_number(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->vm.index < y->vm.index ? -1 : 1;
}

static int by_exits(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->rate[EXITS] != y->rate[EXITS])
		return x->rate[EXITS] < y->rate[EXITS] ? 1 : -1;
	return by_number(a, b);
}

/* ---- the terminal ------------------------------------------------------------ */

static struct termios cooked;
static sigset_t unblocked;
static bool on_screen;
static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void leave_screen(void)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
}

/* Signals are let in only while we wait, so that none is missed. */
static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	const struct sigaction action = {.sa_handler = end};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &unblocked);
}

static void enter_screen(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &cooked))
		fail("the terminal: %s; tv top -b needs none", strerror(errno));
	catch_signals();
	raw = cooked;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* it would leave the terminal as it is now */
	on_screen = true;
	atexit(leave_screen);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
}

/* A serial line does not know its size. */
static struct winsize screen_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	return size;
}

static void put_line(const char *text)
{
	if (on_screen)
		printf("%.*s\033[K\n", screen_size().ws_col, text);
	else
		puts(text);
}

static bool asks_to_end(void)
{
	char key;

	return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

/* False: it is to end. */
static bool wait_until(struct timespec from, double delay)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};
	struct timespec now, left;
	double time;
	int ready;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		time = delay - seconds(from, now);
		if (ended || time <= 0)
			return !ended;
		left.tv_sec = time;
		left.tv_nsec = (time - left.tv_sec) * 1e9;
		ready = ppoll(&in, on_screen, &left, on_screen ? &unblocked : NULL);
		if (ready > 0 && asks_to_end())
			return false;
	}
}

/* ---- the table --------------------------------------------------------------- */

/* What follows -name on QEMU's command line, or the program; printable, whatever it is. */
static void find_name(uint32_t pid, char name[NAME])
{
	char path[32], text[4096];
	ssize_t size;
	const char *found, *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[size < 0 ? 0 : size] = '\0';
	if (fd >= 0)
		close(fd);
	found = basename(text);
	end = text + size;
	for (const char *at = text; at < end; at += strlen(at) + 1) {
		if (!strcmp(at, "-name") && at + sizeof("-name") < end)
			found = at + sizeof("-name");
	}
	if (!strncmp(found, "guest=", 6))
		found += 6;
	snprintf(name, NAME, "%.*s", (int)strcspn(found, ","), found);
	for (char *c = name; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
}

static void put_row(const struct options *o, const struct row *r)
{
	char line[LINE], name[NAME];
	int at = snprintf(line, LINE, "%4u %7u %5u %6llu", r->vm.index, r->vm.pid, r->vm.vcpus,
			  r->vm.chunks);

	for (int i = 0; i < RATES; i++) {
		if (i == ANSWERED && !o->answered)
			at += snprintf(line + at, LINE - at, " %6s", "-");
		else
			at += snprintf(line + at, LINE - at, " %6.*f", r->rate[i] < 100,
				       r->rate[i]);
	}
	find_name(r->vm.pid, name);
	snprintf(line + at, LINE - at, "  %s", name);
	put_line(line);
}

static void put_head(size_t rows, double elapsed)
{
	char line[LINE], clock[16];
	time_t now = time(NULL);
	int at;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	snprintf(line, LINE, "tv top %s: %zu S-VMs, a second in %.1f s%s", clock, rows, elapsed,
		 on_screen ? "; q ends" : "");
	put_line(line);
	at = snprintf(line, LINE, "%4s %7s %5s %6s", "S-VM", "PID", "VCPUS", "CHUNKS");
	for (int i = 0; i < RATES; i++)
		at += snprintf(line + at, LINE - at, " %6s", titles[i]);
	snprintf(line + at, LINE - at, "  NAME");
	put_line(line);
}

static void put_table(const struct options *o, const struct sample *s)
{
	size_t room = s->rows;

	if (on_screen) {
		room = screen_size().ws_row;
		room -= room > HEAD_LINES ? HEAD_LINES + 1 : room;
		fputs("\033[H", stdout);
	}
	put_head(s->rows, s->time);
	for (size_t i = 0; i < s->rows && i < room; i++)
		put_row(o, &s->row[i]);
	fputs(on_screen ? "\033[J" : "\n", stdout);
	fflush(stdout);
}

/* ---- the command ------------------------------------------------------------- */

static bool is_chosen(const struct options *o, uint32_t pid)
{
	for (size_t i = 0; i < o->chosen; i++) {
		if (o->choice[i] == pid)
			return true;
	}
	return !o->chosen;
}

/* Numbers change when an S-VM ends: from now on they go by their processes. */
static void choose(struct options *o, const struct sample *s)
{
	for (size_t i = 0; i < o->chosen; i++) {
		if (o->choice[i] >= s->rows)
			fail("there is no S-VM %u: see tv list", o->choice[i]);
		o->choice[i] = s->row[o->choice[i]].vm.pid;
	}
}

static void drop_others(const struct options *o, struct sample *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->rows; i++) {
		if (is_chosen(o, s->row[i].vm.pid))
			s->row[kept++] = s->row[i];
	}
	s->rows = kept;
}

static void watch(int fd, struct options *o)
{
	struct sample before = take_sample(fd), now;

	choose(o, &before);
	if (!o->batch)
		enter_screen();
	for (unsigned long n = 0; !o->tables || n < o->tables; n++) {
		if (!wait_until(before.at, o->delay))
			break;
		now = take_sample(fd);
		find_rates(&before, &now);
		drop_others(o, &now);
		qsort(now.row, now.rows, sizeof(*now.row), by_exits);
		put_table(o, &now);
		qsort(now.row, now.rows, sizeof(*now.row), by_number);
		free(before.row);
		before = now;
	}
	free(before.row);
}

static const struct argp_option table[] = {
	{"delay", 'd', "SECONDS", 0, "time from table to table (2)", 0},
	{"iterations", 'n', "N", 0, "tables to show before it ends (no end)", 0},
	{"batch", 'b', NULL, 0,
	 "tables one after the other, as when the output goes to no terminal", 0},
	{0},
};

static double parse_delay(struct argp_state *state, const char *arg)
{
	char *end;
	double n = strtod(arg, &end);

	if (*end || end == arg || !(n >= LEAST_DELAY && n <= MOST_DELAY))
		argp_error(state, "--delay takes %g to %g seconds", LEAST_DELAY, MOST_DELAY);
	return n;
}

static unsigned long parse_number(struct argp_state *state, const char *arg, unsigned long least,
				  const char *what)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*end || !isdigit((unsigned char)*arg) || n < least || n > UINT32_MAX)
		argp_error(state, "'%s' is no number of %s", arg, what);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->delay = parse_delay(state, arg);
		return 0;
	case 'n':
		o->tables = parse_number(state, arg, 1, "tables");
		return 0;
	case 'b':
		o->batch = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->chosen == TV_MAX_VMS)
			argp_error(state, "more S-VMs than there can be");
		o->choice[o->chosen++] = parse_number(state, arg, 0, "an S-VM (see tv list)");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	table,
	parse,
	"[S-VM...]",
	"Watch what S-VMs exit for: exits a second of each S-VM, or of those with these numbers of "
	"tv list, the busiest first. Ends on q or Ctrl-C.\v"
	"EXITS is all exits to the host's kernel; then by class as in tv stats, OTHER with the "
	"entries that were refused. ANSWER is what the S-visor dealt with by itself, which it "
	"counts only as long as somebody watches. NOTIFY is what the guest told its virtio "
	"devices, LATE interrupts of devices that were made anew. CHUNKS is secure memory, 8 MiB "
	"each.",
	NULL,
	NULL,
	NULL,
};

int cmd_top(int argc, char **argv)
{
	struct options o = {.delay = 2};
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	fd = device_open(O_RDONLY | O_CLOEXEC);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		o.batch = true;
	o.answered = !ioctl(fd, TWINVISOR_WATCH);
	watch(fd, &o);
	return 0;
}
