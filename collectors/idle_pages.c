/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "collectors/idle_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "mom/mem.h"

#define FRAME_MASK    ((1ull << 55) - 1) /* of a pagemap entry */
#define PRESENT       (1ull << 63)
#define COMPOUND_TAIL (1ull << 16) /* of a page's flags */
#define HUGE_PAGE     (1ull << 22)
#define HUGE_FRAMES   512ull /* a huge page is marked on its first frame alone */
#define BITS          64

/* The files that tell of pages; −1 not open. */
struct files {
	int pagemap, flags, bitmap;
	uint64_t page_bytes;
};

static void close_files(struct files *files)
{
	mem_auto_close(&files->pagemap);
	mem_auto_close(&files->flags);
	mem_auto_close(&files->bitmap);
}

static int open_bitmap(const char *sys_root, int flags)
{
	auto_free char *path = mem_printf("%s/kernel/mm/page_idle/bitmap", sys_root);
	return open(path, flags | O_CLOEXEC);
}

bool idle_pages_available(const char *sys_root)
{
	auto_close int fd = open_bitmap(sys_root, O_RDWR);
	return fd >= 0;
}

static int open_files(struct files *files, const char *proc_root, const char *sys_root,
	int pid, struct err *err)
{
	auto_free char *pagemap = mem_printf("%s/%d/pagemap", proc_root, pid);
	auto_free char *flags = mem_printf("%s/kpageflags", proc_root);
	*files = (struct files){
		.pagemap = open(pagemap, O_RDONLY | O_CLOEXEC),
		.flags = open(flags, O_RDONLY | O_CLOEXEC),
		.bitmap = open_bitmap(sys_root, O_RDWR),
		.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
	};
	if (files->pagemap >= 0 && files->bitmap >= 0)
		return 0;
	int result =
		err_errno(err, errno, "cannot open \"%s\" or the idle bitmap", pagemap);
	close_files(files);
	return result;
}

static bool read_word(int fd, uint64_t index, uint64_t *word)
{
	return pread(fd, word, sizeof(*word), (off_t)(index * sizeof(*word))) ==
	       sizeof(*word);
}

/* The frame whose mark counts for this address; 0 where no memory stands behind it. */
static uint64_t frame_at(const struct files *files, uint64_t address, bool *hidden)
{
	uint64_t entry, flags;
	if (!read_word(files->pagemap, address / files->page_bytes, &entry) ||
		!(entry & PRESENT))
		return 0;
	uint64_t frame = entry & FRAME_MASK;
	*hidden = *hidden || !frame;
	if (frame && files->flags >= 0 && read_word(files->flags, frame, &flags) &&
		(flags & HUGE_PAGE) && (flags & COMPOUND_TAIL))
		frame -= frame % HUGE_FRAMES;
	return frame;
}

/* Where the byte `offset` of guest RAM lies in the process. */
static uint64_t address_at(const struct qemu_ram *ram, uint64_t offset)
{
	for (size_t i = 0; i < ram->count; i++) {
		uint64_t size = ram->pieces[i].to - ram->pieces[i].from;
		if (offset < size)
			return ram->pieces[i].from + offset;
		offset -= size;
	}
	return ram->pieces[0].from;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A set bit marks; a clear one leaves the page as it is. */
static bool mark(const struct files *files, uint64_t frame)
{
	uint64_t word = 1ull << frame % BITS;
	return pwrite(files->bitmap, &word, sizeof(word),
		       (off_t)(frame / BITS * sizeof(word))) == sizeof(word);
}

int idle_pages_begin(struct idle_pages *idle, const char *proc_root, const char *sys_root,
	int pid, const struct qemu_ram *ram, uint64_t seed, struct err *err)
{
	struct files files;
	int result = open_files(&files, proc_root, sys_root, pid, err);
	if (result < 0)
		return result;
	uint64_t part = ram->size_kib * 1024 / IDLE_SAMPLES;
	bool hidden = false, marked = true;
	idle->size_kib = ram->size_kib;
	seed |= 1;
	for (uint64_t i = 0; i < IDLE_SAMPLES && !hidden && marked; i++) {
		uint64_t offset = part * i + next_random(&seed) % part;
		struct idle_page *page = &idle->pages[i];
		page->address = address_at(ram, offset - offset % files.page_bytes);
		page->frame = frame_at(&files, page->address, &hidden);
		marked = !page->frame || mark(&files, page->frame);
	}
	if (hidden)
		result = err_set(err, -EPERM, "the kernel doesn't tell page frames");
	else if (!marked)
		result = err_errno(err, errno, "cannot mark a page idle");
	close_files(&files);
	return result;
}

static bool is_touched(const struct files *files, const struct idle_page *page)
{
	bool hidden = false;
	uint64_t word, frame = frame_at(files, page->address, &hidden);
	if (!frame)
		return false;
	if (frame != page->frame)
		return true; /* new memory, or moved: then it was in use */
	return read_word(files->bitmap, frame / BITS, &word) &&
	       !(word & 1ull << frame % BITS);
}

int idle_pages_end(const struct idle_pages *idle, const char *proc_root,
	const char *sys_root, int pid, uint64_t *touched_kib, struct err *err)
{
	struct files files;
	int result = open_files(&files, proc_root, sys_root, pid, err);
	if (result < 0)
		return result;
	uint64_t touched = 0;
	for (size_t i = 0; i < IDLE_SAMPLES; i++)
		touched += is_touched(&files, &idle->pages[i]);
	close_files(&files);
	*touched_kib = idle->size_kib / IDLE_SAMPLES * touched;
	return 0;
}
