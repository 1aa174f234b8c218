/*
 * Specifiers of systemd.unit(5): %i, %H, … in values that a driver reads.
 *
 * Host facts are given by the caller; this module asks nobody.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"

#define SPECIFIER_EXPANDED_MAX (4 * MIB)

/* What the host-dependent specifiers stand for. A NULL member: using it is an error that names it. */
typedef struct SpecifierHost {
        const char *hostname;          /* %H; %l is the part before the first dot */
        const char *machine_id;        /* %m */
        const char *boot_id;           /* %b */
        const char *kernel_release;    /* %v */
        const char *architecture;      /* %a */
        const char *user;              /* %u */
        const char *user_id;           /* %U */
        const char *home;              /* %h */
        const char *shell;             /* %s */
        const char *runtime_directory; /* %t */
        const char *state_directory;   /* %S */
        const char *cache_directory;   /* %C */
        const char *log_directory;     /* %L */
} SpecifierHost;

/*
 * Substitutes %i %I %n %N %p %P %j %J %H %l %m %b %v %t %S %C %L %u %U %h %s %a %%. The others that
 * systemd knows (%E, %f, …) are -EINVAL and named; what is no specifier at all (`%{`, a last `%`) stays,
 * as systemd keeps it. The caller owns *ret. 0, -EINVAL, -EFBIG (over SPECIFIER_EXPANDED_MAX) or -ENOMEM.
 */
int specifier_expand(const char *s, const char *unit_name, const SpecifierHost *host, char **ret,
                     Error *reterr);
