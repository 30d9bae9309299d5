/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one program of a lab guest. It runs as process 1, because that is the one
 * process which the guest's own OOM killer spares, and never loads the guest
 * itself: the load and every order run in children.
 *
 * Kernel command line:
 *   mom.load=SECONDS:MIB[,MIB...]:PHASE:RATE  walk through working sets of those
 *       sizes, SECONDS each, starting PHASE steps on, and touch RATE random pages
 *       of the set a second
 *   mom.order=ORDER[;ORDER...]                orders to carry out once at boot,
 *       with '_' for a blank
 *
 * Orders, one a line on the second serial port:
 *   hog N | lock N | leak N | cache N   touch N MiB; lock N MiB; grow N MiB a second
 *                                       without end; read N MiB through the cache
 *   free                                end whatever hog, lock and leak hold
 *   driver on|off                       load or unload the balloon driver
 *   reboot | panic | poweroff
 *
 * On the console: "GUEST-READY" once, a line "STAT ... end" every second, and for
 * each order "DONE order" or "FAILED order: why".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)
#define TICKS_PER_S 10
#define GROWTH_PER_TICK (64 * MIB)
#define MAX_STEPS 32
#define MAX_HOLDERS 16

/* What the load does, as the kernel command line says it. */
struct load {
	unsigned period_s;
	unsigned phase;
	unsigned touches_per_s;
	unsigned n_steps;
	size_t step_mib[MAX_STEPS];
};

/* Written by the load, read by the reporter; outlives a load that is killed. */
struct progress {
	_Atomic uint64_t touches;
	_Atomic uint64_t set_mib;
};

struct vmstat {
	uint64_t swap_in, swap_out, major_faults, oom_kills;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_until(int64_t at_ms)
{
	struct timespec t = {
		.tv_sec = at_ms / 1000,
		.tv_nsec = at_ms % 1000 * 1000000,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		printf("FAILED write %s: %s\n", path, strerror(errno));
	close(fd);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Give each page contents of its own, so that nobody merges or compresses the set. */
static void fill(char *memory, size_t from, size_t to, uint64_t *random)
{
	for (size_t at = from; at < to; at += PAGE)
		*(uint64_t *)(memory + at) = next_random(random);
}

static char *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* ---- the load ---- */

static size_t largest_step(const struct load *load)
{
	size_t most = 1;

	for (unsigned i = 0; i < load->n_steps; i++)
		if (load->step_mib[i] > most)
			most = load->step_mib[i];
	return most * MIB;
}

static size_t wanted_bytes(const struct load *load, int64_t age_ms)
{
	size_t step = (size_t)(age_ms / 1000 / load->period_s) + load->phase;

	return load->step_mib[step % load->n_steps] * MIB;
}

/* One step from `held` towards `wanted`: down at once, up by a tick's growth. */
static size_t resize(char *memory, size_t held, size_t wanted, uint64_t *random)
{
	if (wanted < held) {
		madvise(memory + wanted, held - wanted, MADV_DONTNEED);
		return wanted;
	}
	if (wanted - held > GROWTH_PER_TICK)
		wanted = held + GROWTH_PER_TICK;
	fill(memory, held, wanted, random);
	return wanted;
}

static void touch(char *memory, size_t held, unsigned count, uint64_t *random,
		  struct progress *progress)
{
	for (unsigned i = 0; i < count && held > 0; i++) {
		size_t page = next_random(random) % (held / PAGE);

		++*(volatile uint64_t *)(memory + page * PAGE + sizeof(uint64_t));
		atomic_fetch_add(&progress->touches, 1);
	}
}

/*
 * A tick that comes late is not made up for: work that a stall cost is lost, which
 * is what the benchmark counts.
 */
static void run_load(const struct load *load, int64_t born_ms, struct progress *progress)
{
	uint64_t random = 88172645463325252ULL + load->phase;
	char *memory = map(largest_step(load));
	size_t held = 0;
	int64_t next_ms = now_ms();

	if (memory == MAP_FAILED)
		_exit(1);
	for (;;) {
		size_t wanted = wanted_bytes(load, now_ms() - born_ms);

		held = resize(memory, held, wanted, &random);
		atomic_store(&progress->set_mib, held / MIB);
		touch(memory, held, load->touches_per_s / TICKS_PER_S, &random, progress);
		next_ms += 1000 / TICKS_PER_S;
		if (next_ms < now_ms())
			next_ms = now_ms();
		sleep_until(next_ms);
	}
}

/* ---- children ---- */

/* A child that the guest's OOM killer takes before anything else. */
static pid_t fork_victim(void)
{
	pid_t pid = fork();

	if (pid == 0)
		write_file("/proc/self/oom_score_adj", "500");
	return pid;
}

static pid_t start_load(const struct load *load, int64_t born_ms,
			struct progress *progress)
{
	pid_t pid = fork_victim();

	if (pid == 0)
		run_load(load, born_ms, progress);
	return pid;
}

/* The same in every guest, whatever the number of its process. */
static void hold(size_t mib, bool locked)
{
	uint64_t random = 1442695040888963407ULL;
	char *memory = map(mib * MIB);
	const char *what = locked ? "lock" : "hog";

	if (memory == MAP_FAILED || (locked && mlock(memory, mib * MIB) < 0)) {
		printf("FAILED %s %zu: %s\n", what, mib, strerror(errno));
		_exit(1);
	}
	fill(memory, 0, mib * MIB, &random);
	printf("DONE %s %zu\n", what, mib);
	for (;;)
		pause();
}

static void leak(size_t mib_per_s)
{
	uint64_t random = 2862933555777941757ULL + (uint64_t)getpid();
	size_t chunk = mib_per_s * MIB / TICKS_PER_S / PAGE * PAGE;

	printf("DONE leak %zu\n", mib_per_s);
	for (int64_t next_ms = now_ms();; next_ms += 1000 / TICKS_PER_S) {
		char *memory = map(chunk);

		if (memory != MAP_FAILED)
			fill(memory, 0, chunk, &random);
		sleep_until(next_ms);
	}
}

/* The swap disk serves as the file: what is read of it fills the page cache. */
static void read_through_cache(size_t mib)
{
	static char buffer[1 << 16];
	int fd = open("/dev/vda", O_RDONLY | O_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < mib * MIB;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));

		if (got < 0)
			break;
		if (got == 0)
			lseek(fd, 0, SEEK_SET);
		done += (size_t)got;
	}
	if (fd < 0)
		printf("FAILED cache %zu: %s\n", mib, strerror(errno));
	else
		printf("DONE cache %zu\n", mib);
	_exit(0);
}

/* ---- orders ---- */

static pid_t holders[MAX_HOLDERS];

static void forget_holder(pid_t pid)
{
	for (unsigned i = 0; i < MAX_HOLDERS; i++)
		if (holders[i] == pid)
			holders[i] = 0;
}

static void remember_holder(pid_t pid)
{
	for (unsigned i = 0; i < MAX_HOLDERS; i++) {
		if (holders[i] == 0) {
			holders[i] = pid;
			return;
		}
	}
}

static void end_holders(void)
{
	for (unsigned i = 0; i < MAX_HOLDERS; i++) {
		if (holders[i] > 0 && kill(holders[i], SIGKILL) == 0)
			waitpid(holders[i], NULL, 0);
		holders[i] = 0;
	}
	printf("DONE free\n");
}

static void start_holder(const char *verb, size_t mib)
{
	pid_t pid = fork_victim();

	if (pid > 0)
		remember_holder(pid);
	if (pid != 0)
		return;
	if (strcmp(verb, "leak") == 0)
		leak(mib);
	if (strcmp(verb, "cache") == 0)
		read_through_cache(mib);
	hold(mib, strcmp(verb, "lock") == 0);
}

static void switch_driver(const char *state)
{
	const char *command = strcmp(state, "on") == 0 ?
				      "insmod /modules/virtio_balloon.ko" :
				      "rmmod virtio_balloon";
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/busybox", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	printf("DONE driver %s\n", state);
}

static void obey(char *order)
{
	char *rest = order;
	const char *verb = strsep(&rest, " ");
	const char *argument = rest ? rest : "";
	size_t number = strtoul(argument, NULL, 10);

	if (*verb == '\0')
		return;
	if (strcmp(verb, "hog") == 0 || strcmp(verb, "lock") == 0 ||
	    strcmp(verb, "leak") == 0 || strcmp(verb, "cache") == 0)
		start_holder(verb, number);
	else if (strcmp(verb, "free") == 0)
		end_holders();
	else if (strcmp(verb, "driver") == 0)
		switch_driver(argument);
	else if (strcmp(verb, "reboot") == 0)
		reboot(RB_AUTOBOOT);
	else if (strcmp(verb, "poweroff") == 0)
		reboot(RB_POWER_OFF);
	else if (strcmp(verb, "panic") == 0)
		write_file("/proc/sysrq-trigger", "c");
	else
		printf("FAILED %s: no such order\n", verb);
}

static void obey_boot_orders(char *orders)
{
	for (char *c = orders; *c; c++)
		if (*c == '_')
			*c = ' ';
	for (char *order; (order = strsep(&orders, ";"));)
		obey(order);
}

static int open_orders(void)
{
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios t;

	if (fd >= 0 && tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		t.c_cflag |= CLOCAL | CREAD;
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

/* Orders may come in pieces: keep what has no end of line yet. */
static void read_orders(int fd)
{
	static char line[128];
	static size_t length;
	char c;

	while (read(fd, &c, 1) == 1) {
		if (c == '\n' || c == '\r') {
			line[length] = '\0';
			length = 0;
			obey(line);
		} else if (length < sizeof(line) - 1) {
			line[length++] = c;
		}
	}
}

/* ---- the report ---- */

static uint64_t file_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char line[256];
	uint64_t number = 0;
	size_t length = strlen(key);

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, length) == 0)
			number = strtoull(line + length, NULL, 10);
	if (file)
		fclose(file);
	return number;
}

static void report(int64_t born_ms, struct progress *progress)
{
	struct vmstat v = {
		.swap_in = file_number("/proc/vmstat", "pswpin "),
		.swap_out = file_number("/proc/vmstat", "pswpout "),
		.major_faults = file_number("/proc/vmstat", "pgmajfault "),
		.oom_kills = file_number("/proc/vmstat", "oom_kill "),
	};

	printf("STAT age_ms=%lld work=%llu set_mib=%llu available_kib=%llu total_kib=%llu "
	       "swap_in=%llu swap_out=%llu major_faults=%llu oom_kills=%llu end\n",
	       (long long)(now_ms() - born_ms),
	       (unsigned long long)atomic_load(&progress->touches),
	       (unsigned long long)atomic_load(&progress->set_mib),
	       (unsigned long long)file_number("/proc/meminfo", "MemAvailable:"),
	       (unsigned long long)file_number("/proc/meminfo", "MemTotal:"),
	       (unsigned long long)v.swap_in, (unsigned long long)v.swap_out,
	       (unsigned long long)v.major_faults, (unsigned long long)v.oom_kills);
}

/* ---- the whole ---- */

static bool parse_load(char *text, struct load *load)
{
	char *period = strsep(&text, ":");
	char *steps = text ? strsep(&text, ":") : NULL;
	char *phase = text ? strsep(&text, ":") : NULL;

	if (!period || !steps || !phase || !text)
		return false;
	load->period_s = (unsigned)strtoul(period, NULL, 10);
	load->phase = (unsigned)strtoul(phase, NULL, 10);
	load->touches_per_s = (unsigned)strtoul(text, NULL, 10);
	for (char *s; load->n_steps < MAX_STEPS && (s = strsep(&steps, ","));)
		load->step_mib[load->n_steps++] = strtoul(s, NULL, 10);
	return load->period_s > 0 && load->n_steps > 0;
}

static void read_command_line(char *line, size_t size)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, line, size - 1);

	line[got < 0 ? 0 : got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static void serve(int orders_fd, const struct load *load, int64_t born_ms,
		  struct progress *progress)
{
	struct pollfd orders = { .fd = orders_fd, .events = POLLIN };
	bool loaded = load->n_steps > 0;
	pid_t load_pid = loaded ? start_load(load, born_ms, progress) : 0;

	for (int64_t next_ms = now_ms() + 1000;;) {
		int64_t left_ms = next_ms - now_ms();

		if (left_ms > 0 && poll(&orders, 1, (int)left_ms) > 0)
			read_orders(orders_fd);
		for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
			forget_holder(pid);
			if (pid == load_pid)
				load_pid = start_load(load, born_ms, progress);
		}
		if (now_ms() >= next_ms) {
			report(born_ms, progress);
			next_ms = now_ms() + 1000;
		}
	}
}

int main(void)
{
	static char line[4096];
	struct load load = { 0 };
	char *boot_orders = NULL;
	char *rest = line;
	int64_t born_ms = now_ms();
	struct progress *progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (progress == MAP_FAILED)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The report must go on while the guest thrashes. */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	read_command_line(line, sizeof(line));
	for (char *word; (word = strsep(&rest, " "));) {
		if (strncmp(word, "mom.load=", 9) == 0 && !parse_load(word + 9, &load))
			printf("FAILED load: not SECONDS:MIB,...:PHASE:RATE\n");
		if (strncmp(word, "mom.order=", 10) == 0)
			boot_orders = word + 10;
	}
	/* Before it is ready: what comes until then is dropped by the opening. */
	int orders_fd = open_orders();
	printf("GUEST-READY\n");
	if (boot_orders)
		obey_boot_orders(boot_orders);
	serve(orders_fd, &load, born_ms, progress);
}
