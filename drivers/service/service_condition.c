#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "drivers/service/service_set.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

/* ---- systemd.unit(5): what each condition looks at ---------------------------------------------- */

static bool path_exists(const char *path) {
        return access(path, F_OK) == 0;
}

static bool path_exists_glob(const char *pattern) {
        _cleanup_(globfree) glob_t found = { 0 };

        return glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
}

static bool path_is_directory(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool path_is_symbolic_link(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool path_is_read_write(const char *path) {
        struct statvfs v;

        return statvfs(path, &v) == 0 && (v.f_flag & ST_RDONLY) == 0;
}

static bool directory_not_empty(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *e;

        if (!dir)
                return false;

        do
                e = readdir(dir);
        while (e && (str_eq(e->d_name, ".") || str_eq(e->d_name, "..")));

        (void) closedir(dir);
        return e != NULL;
}

static bool file_not_empty(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static bool file_is_executable(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

#define MACHINE_ID_SIZE_MAX 256

static bool is_machine_id(const char *id) {
        _cleanup_free_ char *text = NULL;

        return fs_read_file("/etc/machine-id", MACHINE_ID_SIZE_MAX, &text, NULL) >= 0 &&
               strcasecmp(str_trim(text), id) == 0;
}

/* The machine's id, or its name; in the name wildcards are allowed. */
static bool host_matches(const char *pattern) {
        struct utsname u;

        return is_machine_id(pattern) ||
               (uname(&u) == 0 && fnmatch(pattern, u.nodename, FNM_CASEFOLD) == 0);
}

static const struct {
        const char *name; /* behind Condition and Assert */
        bool (*test)(const char *argument);
        bool is_path;
} kinds[] = {
        { "PathExists", path_exists, true },
        { "PathExistsGlob", path_exists_glob, true },
        { "PathIsDirectory", path_is_directory, true },
        { "PathIsSymbolicLink", path_is_symbolic_link, true },
        { "PathIsReadWrite", path_is_read_write, true },
        { "DirectoryNotEmpty", directory_not_empty, true },
        { "FileNotEmpty", file_not_empty, true },
        { "FileIsExecutable", file_is_executable, true },
        { "Host", host_matches, false },
};

/* Behind "Condition" or "Assert". */
static const char *kind_name(const char *key) {
        const char *name = str_after_prefix(key, "Condition");

        return name ? name : str_after_prefix(key, "Assert");
}

static bool is_met(const ServiceCondition *c) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (str_eq(kinds[i].name, kind_name(c->key)))
                        return kinds[i].test(c->argument) != c->negate;

        return false; /* not reached: service_set_condition() takes these only */
}

/* All without '|' must be met; of those with it, one. */
const ServiceCondition *service_config_unmet(const ServiceConfig *c, bool asserts) {
        const ServiceCondition *unmet_trigger = NULL;
        bool triggered = false;

        for (size_t i = 0; i < c->n_conditions; i++) {
                const ServiceCondition *k = &c->conditions[i];

                if (k->asserts != asserts || (k->trigger && triggered))
                        continue;
                if (is_met(k))
                        triggered |= k->trigger;
                else if (!k->trigger)
                        return k;
                else
                        unmet_trigger = k;
        }
        return triggered ? NULL : unmet_trigger;
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* An empty value takes back the conditions (or the asserts), whatever their kind. */
static void reset(ServiceConfig *c, bool asserts) {
        size_t kept = 0;

        for (size_t i = 0; i < c->n_conditions; i++)
                if (c->conditions[i].asserts == asserts)
                        mem_free(c->conditions[i].argument);
                else
                        c->conditions[kept++] = c->conditions[i];
        c->n_conditions = kept;
}

static const char *skip_blanks(const char *s) {
        return s + strspn(s, " \t\r\n");
}

/* Takes the argument on success. */
static int append(ServiceConfig *c, ServiceCondition condition) {
        ServiceCondition *grown;

        grown = mem_realloc(c->conditions, (c->n_conditions + 1) * sizeof(ServiceCondition));
        if (!grown)
                return -ENOMEM;

        grown[c->n_conditions++] = condition;
        c->conditions = grown;
        return 0;
}

static int check_kind(ServiceParser *p, const UnitOption *o, const char *argument) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (!str_eq(kinds[i].name, kind_name(o->name)))
                        continue;
                if (kinds[i].is_path && argument[0] != '/')
                        return service_set_error(p, o, "'%s' is not an absolute path", argument);

                return 0;
        }
        return service_set_error(p, o, "cannot be checked for a supervised unit");
}

SERVICE_SETTER(condition) {
        ServiceCondition c = { .key = service_key_find("Unit", o->name)->name,
                               .asserts = str_after_prefix(o->name, "Assert") != NULL,
                               .file_line = o->line };
        _cleanup_free_ char *argument = NULL;
        int r;

        (void) field;
        if (str_empty(value)) {
                reset(p->config, c.asserts);
                return 0;
        }
        if (p->config->n_conditions >= SERVICE_CONDITIONS_MAX)
                return service_set_error(p, o, "more than %d conditions", SERVICE_CONDITIONS_MAX);

        c.trigger = *value == '|';
        value = skip_blanks(value + c.trigger);
        c.negate = *value == '!';
        value = skip_blanks(value + c.negate);
        r = service_set_expand(p, o, value, &argument);
        if (r >= 0)
                r = check_kind(p, o, argument);
        if (r < 0)
                return r;

        c.argument = argument;
        r = append(p->config, c);
        if (r < 0)
                return r;

        argument = NULL;
        return 0;
}
