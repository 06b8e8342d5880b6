// SPDX-License-Identifier: Apache-2.0
// Counts what a program asks the heap for. An executable that links this has these functions before those of glibc,
// which they pass on to; what is freed is not counted.
#include "CSkeinAllocations.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static __thread uint64_t allocations;
static __thread uint64_t allocated_bytes;

uint64_t skein_thread_allocations(void) { return allocations; }
uint64_t skein_thread_allocated_bytes(void) { return allocated_bytes; }

#if defined(__GLIBC__)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

bool skein_counts_allocations(void) { return true; }

static void count(size_t size) {
    allocations += 1;
    allocated_bytes += size;
}

void *malloc(size_t size) {
    count(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count(size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    void *found = memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *block = found;
    return 0;
}

#else

bool skein_counts_allocations(void) { return false; }

#endif
