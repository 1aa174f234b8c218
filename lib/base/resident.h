/*
 * Resident memory: giving back what start-up touched and running does not need.
 *
 * Linking and initialising some dozen libraries makes the kernel map most of their code and constants,
 * and leaves holes in the heap. Both can go: code comes back from the page cache when it is executed.
 */
#pragma once

#include "lib/base/base.h"

/*
 * Gives the heap's free pages and the unmodified pages of all loaded objects back to the kernel. Takes
 * about a millisecond, and a few page faults afterwards: call it when start-up is over, and after a
 * rare large piece of work, not in a loop. Does nothing under a sanitizer.
 */
void resident_trim(void);
