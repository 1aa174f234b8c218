#include "drivers/driver_registry.h"

#include "drivers/docker/docker_driver.h"
#include "drivers/fake/fake_driver.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* In order of preference. The fake driver is for tests and not among them: see fake_driver.h. */
static const DriverType *const types[] = {
        &docker_driver_type,
        NULL,
};

/* What driver= and Driver= may say: some of it may not be in this build. */
static const char *const names[] = { "docker", "systemd", "rkt", "process" };

const DriverType *const *driver_types(void) {
        return types;
}

const DriverType *driver_type_get(const char *name) {
        for (size_t i = 0; types[i]; i++)
                if (str_eq(types[i]->name, name))
                        return types[i];

        return NULL;
}

static bool is_driver_name(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_eq(names[i], name))
                        return true;

        return false;
}

/* ---- what a unit or the configuration asks for -------------------------------------------------- */

typedef struct Wish {
        char *name;    /* owned; NULL = auto */
        bool by_unit;  /* [X-Fleet] Driver= said so */
        bool fake;     /* "fake" is a driver, too */
        unsigned line; /* where; 0 = unknown */
} Wish;

static void wish_done(Wish *w) {
        w->name = mem_free(w->name);
}

static int wish_from_unit(const UnitFile *file, Wish *w) {
        const UnitOption *o;
        size_t position = 0;

        while ((o = unit_file_next(file, "X-Fleet", &position))) {
                _cleanup_free_ char *joined = NULL;
                int r;

                if (!str_eq(o->name, "Driver"))
                        continue;

                joined = unit_option_joined_value(o);
                if (!joined)
                        return -ENOMEM;

                r = str_replace(&w->name, str_trim(joined));
                if (r < 0)
                        return r;
                w->by_unit = true;
                w->line = o->line;
        }
        return 0;
}

static int wish_read(const char *unit, const UnitFile *file, const char *configured, Wish *w,
                     Error *reterr) {
        int r;

        r = wish_from_unit(file, w);
        if (r >= 0 && str_empty(w->name))
                r = str_replace(&w->name, configured);
        if (r < 0)
                return error_fill(reterr, r);

        if (str_empty(w->name) || str_eq(w->name, "auto")) {
                wish_done(w);
                return 0;
        }
        if (is_driver_name(w->name) || (w->fake && str_eq(w->name, "fake")))
                return 0;

        return w->by_unit ? error_set_at(reterr, -EINVAL, unit, w->line, 0,
                                         "Driver=: there is no driver '%s'", w->name)
                          : error_set(reterr, -EINVAL, "driver: there is no driver '%s'", w->name);
}

/* ---- choosing ----------------------------------------------------------------------------------- */

/* "docker: ExecStart runs /usr/bin/bash, not docker (line 8)", behind what is there. */
static int add_reason(char **reasons, const char *driver, const Error *why) {
        _cleanup_free_ char *line = NULL;
        char *longer;

        line = why->line > 0 ? str_printf(" (line %u)", why->line) : str_dup("");
        if (!line)
                return -ENOMEM;

        longer = str_printf("%s%s%s: %s%s", *reasons ? *reasons : "", *reasons ? "; " : "", driver,
                            error_text(why), line);
        if (!longer)
                return -ENOMEM;

        mem_free(*reasons);
        *reasons = longer;
        return 0;
}

/*
 * Asks one driver. DRIVER_CLAIMS: it takes the unit; DRIVER_NOT_MINE: the reason is in why; else -EINVAL.
 */
static int ask(const DriverType *type, const char *unit, const UnitFile *file,
               const Strv *available, Error *why) {
        int r;

        r = type->claim(unit, file, why);
        if (r != DRIVER_CLAIMS)
                return r;
        if (available && !strv_contains(available, type->name)) {
                (void) error_set(why, -ENOENT, "it is not available on this machine");
                return DRIVER_NOT_MINE;
        }

        return DRIVER_CLAIMS;
}

static const DriverType *type_for_tests(const char *name, const Strv *available) {
        return str_eq(name, "fake") && (!available || strv_contains(available, "fake"))
                       ? &fake_driver_type
                       : driver_type_get(name);
}

static int choose_wished(const char *unit, const UnitFile *file, const Wish *wish,
                         const Strv *available, const DriverType **ret, Error *reterr) {
        const DriverType *type = type_for_tests(wish->name, available);
        _cleanup_error_ Error why = ERROR_INIT;
        int r;

        if (!type)
                return error_set(reterr, -ENOENT, "no %s driver on this machine", wish->name);

        r = ask(type, unit, file, available, &why);
        if (r == DRIVER_CLAIMS) {
                *ret = type;
                return 0;
        }
        if (r < 0) {
                error_copy(reterr, &why);
                return error_fill(reterr, r);
        }

        /* Forced by the unit, and not able to: that is wrong wherever it goes. */
        if (wish->by_unit && why.code != -ENOENT)
                return error_set_at(reterr, -EINVAL, unit, why.line ? why.line : wish->line, 0,
                                    "Driver=%s: %s", wish->name, error_text(&why));

        return error_set(reterr, -ENOENT, "%s: %s", wish->name, error_text(&why));
}

/* Names that take any service, and are not in this build or not on this machine. */
static const char *absent_drivers(void) {
        bool no_systemd = !driver_type_get("systemd"), no_process = !driver_type_get("process");

        return no_systemd && no_process ? "no systemd or process driver on this machine"
               : no_systemd             ? "no systemd driver on this machine"
               : no_process             ? "no process driver on this machine"
                                        : NULL;
}

/* The n-th type that auto may choose; NULL behind the last. */
static const DriverType *candidate(size_t n, const Strv *available) {
        size_t n_types = ELEMENTSOF(types) - 1;

        if (n < n_types)
                return types[n];

        return n == n_types && available && strv_contains(available, "fake") ? &fake_driver_type
                                                                             : NULL;
}

static int choose_any(const char *unit, const UnitFile *file, const Strv *available,
                      const DriverType **ret, Error *reterr) {
        _cleanup_free_ char *reasons = NULL;
        const DriverType *type;
        const char *absent;

        for (size_t i = 0; (type = candidate(i, available)); i++) {
                _cleanup_error_ Error why = ERROR_INIT;
                int r;

                r = ask(type, unit, file, available, &why);
                if (r == DRIVER_CLAIMS) {
                        *ret = type;
                        return 0;
                }
                if (r < 0) {
                        error_copy(reterr, &why);
                        return error_fill(reterr, r);
                }

                if (add_reason(&reasons, type->name, &why) < 0)
                        return error_fill(reterr, -ENOMEM);
        }

        absent = absent_drivers();
        return error_set(reterr, -ENOENT, "%s%s%s", reasons ? reasons : "",
                         reasons && absent ? "; " : "",
                         absent    ? absent
                         : reasons ? ""
                                   : "no driver on this machine");
}

int driver_choose(const char *unit, const UnitFile *file, const char *configured,
                  const Strv *available, const DriverType **ret, Error *reterr) {
        _cleanup_(wish_done) Wish wish = { .fake = strv_contains(available, "fake") };
        int r;

        r = wish_read(unit, file, configured, &wish, reterr);
        if (r < 0)
                return r;

        return wish.name ? choose_wished(unit, file, &wish, available, ret, reterr)
                         : choose_any(unit, file, available, ret, reterr);
}

int driver_validate(const char *unit, const UnitFile *file, const char *configured, Error *reterr) {
        _cleanup_(wish_done) Wish wish = { .fake = str_eq(configured, "fake") };
        _cleanup_error_ Error why = ERROR_INIT;
        const DriverType *type;
        int r;

        r = wish_read(unit, file, configured, &wish, reterr);
        if (r < 0)
                return r;

        /* Where it will run is not known yet: that nobody here can is no mistake of the unit's. */
        r = wish.name ? choose_wished(unit, file, &wish, NULL, &type, &why)
                      : choose_any(unit, file, NULL, &type, &why);
        if (r >= 0 || r == -ENOENT)
                return 0;

        error_copy(reterr, &why);
        return error_fill(reterr, r);
}
