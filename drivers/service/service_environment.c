#include <glob.h>
#include <stdlib.h>

#include "drivers/service/service_config.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

/* PassEnvironment= takes from the manager's environment, which here is this process's own. */
static int pass_environment(const ServiceConfig *c, Strv *environment) {
        for (size_t i = 0; i < c->pass_environment.n; i++) {
                const char *name = c->pass_environment.items[i], *value = getenv(name);
                _cleanup_free_ char *assignment = NULL;
                int r;

                if (!value)
                        continue;

                assignment = str_printf("%s=%s", name, value);
                if (!assignment)
                        return -ENOMEM;

                r = environment_set(environment, assignment);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_all(Strv *environment, const Strv *assignments) {
        int r;

        for (size_t i = 0; i < assignments->n; i++) {
                r = environment_set(environment, assignments->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_file(const char *path, Strv *environment, Error *reterr) {
        _cleanup_(strv_done) Strv assignments = STRV_INIT;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = fs_read_file(path, SERVICE_ENVIRONMENT_FILE_MAX, &text, &size);
        if (r < 0)
                return error_set(reterr, r, "cannot read EnvironmentFile '%s': %s", path,
                                 strerror(-r));

        r = environment_file_parse(text, size, &assignments, NULL, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "EnvironmentFile '%s'", path);
                return r;
        }

        return set_all(environment, &assignments);
}

/* The wildcard of one EnvironmentFile=; a missing file without wildcards is found missing by reading. */
static int read_files(const char *pattern, Strv *environment, Error *reterr) {
        _cleanup_(globfree) glob_t found = { 0 };
        int r;

        r = glob(pattern, GLOB_NOCHECK, NULL, &found);
        if (r == GLOB_NOSPACE)
                return -ENOMEM;
        if (r != 0)
                return error_set(reterr, -EIO, "cannot look for EnvironmentFile '%s'", pattern);
        if (found.gl_pathc > SERVICE_ENVIRONMENT_FILES_MAX)
                return error_set(reterr, -EFBIG,
                                 "EnvironmentFile '%s' stands for more than %d files", pattern,
                                 SERVICE_ENVIRONMENT_FILES_MAX);

        for (size_t i = 0; i < found.gl_pathc; i++) {
                r = read_file(found.gl_pathv[i], environment, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* UnsetEnvironment= of NAME drops the variable, of NAME=value only with that value. */
static bool is_unset(const ServiceConfig *c, const char *assignment) {
        size_t name_size = strcspn(assignment, "=");

        for (size_t i = 0; i < c->unset_environment.n; i++) {
                const char *u = c->unset_environment.items[i];

                if (strchr(u, '=')
                            ? str_eq(u, assignment)
                            : strlen(u) == name_size && strncmp(u, assignment, name_size) == 0)
                        return true;
        }
        return false;
}

int service_config_environment(const ServiceConfig *c, Strv *ret, Error *reterr) {
        _cleanup_(strv_done) Strv environment = STRV_INIT, kept = STRV_INIT;
        int r;

        r = pass_environment(c, &environment);
        if (r >= 0)
                r = set_all(&environment, &c->environment);
        if (r < 0)
                return error_fill(reterr, r);

        for (size_t i = 0; i < c->environment_files.n; i++) {
                const char *pattern = c->environment_files.items[i];
                bool may_be_missing = pattern[0] == '-';
                _cleanup_error_ Error why = ERROR_INIT;

                r = read_files(pattern + may_be_missing, &environment, &why);
                if (r < 0 && !may_be_missing) {
                        error_copy(reterr, &why);
                        return error_fill(reterr, r);
                }
                if (r == -ENOMEM)
                        return error_fill(reterr, r);
        }

        for (size_t i = 0; i < environment.n; i++)
                if (!is_unset(c, environment.items[i])) {
                        r = strv_push(&kept, environment.items[i]);
                        if (r < 0)
                                return error_fill(reterr, r);
                }

        *ret = kept;
        kept = STRV_INIT;
        return 0;
}
