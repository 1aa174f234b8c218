#include "lib/base/resident.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Text relocations are changes to read-only segments: such pages would not come back as they were. */
static bool has_text_relocations(const struct dl_phdr_info *info) {
        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
                const ElfW(Dyn) * d;

                if (segment->p_type != PT_DYNAMIC)
                        continue;

                /* An address of a loaded object, as dl_iterate_phdr(3) says it is made. */
                d = (const ElfW(Dyn) *) (uintptr_t) (info->dlpi_addr + segment->p_vaddr);
                for (; d->d_tag != DT_NULL; d++)
                        if (d->d_tag == DT_TEXTREL ||
                            (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
                                return true;
        }
        return false;
}

static int drop_clean_pages(struct dl_phdr_info *info, size_t size _unused_, void *userdata) {
        uintptr_t page = *(const uintptr_t *) userdata;

        if (has_text_relocations(info))
                return 0;

        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
                uintptr_t start = info->dlpi_addr + segment->p_vaddr;
                uintptr_t end = start + segment->p_filesz;

                if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
                        continue;

                start &= ~(page - 1);
                end = (end + page - 1) & ~(page - 1);
                /* Fails for what is no ordinary file (the vDSO) or is locked: that stays, then. */
                (void) madvise((void *) start, end - start, MADV_DONTNEED);
        }
        return 0;
}

void resident_trim(void) {
        uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

        if (SANITIZED)
                return;

        (void) malloc_trim(0);
        (void) dl_iterate_phdr(drop_clean_pages, &page);
}
