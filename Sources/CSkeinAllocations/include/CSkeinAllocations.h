// SPDX-License-Identifier: Apache-2.0
#ifndef C_SKEIN_ALLOCATIONS_H
#define C_SKEIN_ALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

/// Whether allocations are counted on this platform: with glibc only.
bool skein_counts_allocations(void);

/// How many blocks of memory the calling thread has asked for since it began. Blocks that are made larger count once more.
uint64_t skein_thread_allocations(void);

/// How many bytes these blocks had.
uint64_t skein_thread_allocated_bytes(void);

#endif
