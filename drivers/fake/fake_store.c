#include <dirent.h>

#include "drivers/fake/fake_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

#define STORED_SIZE_MAX 256

static char *path_of(const FakeDriver *d, const char *unit) {
        return str_printf("%s/%s", d->directory, unit);
}

/* "hash generation" */
int fake_store_put(const FakeUnit *u) {
        _cleanup_free_ char *path = NULL, *text = NULL;

        if (!u->driver->directory)
                return 0;

        path = path_of(u->driver, u->name);
        text = str_printf("%s %llu", u->hash, (unsigned long long) u->generation);
        if (!path || !text)
                return -ENOMEM;

        return fs_write_file(path, text, strlen(text), 0600);
}

void fake_store_remove(const FakeDriver *d, const char *unit) {
        _cleanup_free_ char *path = NULL;

        if (!d->directory)
                return;

        path = path_of(d, unit);
        if (path)
                (void) unlink(path); /* not there is as well */
}

FakeFound *fake_found_free(FakeFound *f) {
        if (!f)
                return NULL;

        mem_free(f->unit);
        mem_free(f->hash);
        (void) unit_state_free(f->state);
        return mem_free(f);
}
DEFINE_CLEANUP(FakeFound, fake_found_free);

static int found_state(const FakeDriver *d, FakeFound *f) {
        UnitState *s;

        f->state = s = unit_state_new(f->unit, d->machine_id);
        if (!s || str_replace(&s->load, "loaded") < 0 || str_replace(&s->active, "active") < 0 ||
            str_replace(&s->sub, "running") < 0 || str_replace(&s->driver, "fake") < 0)
                return -ENOMEM;

        memcpy(s->hash, f->hash, strnlen(f->hash, SHA1_HEX_SIZE - 1)); /* the rest is zero */
        return 0;
}

static int read_one(FakeDriver *d, const char *unit) {
        _cleanup_(fake_found_freep) FakeFound *f = mem_new(FakeFound);
        _cleanup_free_ char *path = path_of(d, unit), *text = NULL;
        _cleanup_(strv_done) Strv words = STRV_INIT;
        int r;

        if (!f || !path)
                return -ENOMEM;

        r = fs_read_file(path, STORED_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;

        r = strv_split(&words, text, " ");
        if (r < 0)
                return r;
        if (words.n != 2 || str_to_u64(words.items[1], &f->generation) < 0)
                return -EBADMSG;

        f->unit = str_dup(unit);
        f->hash = str_dup(words.items[0]);
        if (!f->unit || !f->hash || found_state(d, f) < 0)
                return -ENOMEM;

        r = map_put(d->found, unit, f);
        if (r < 0)
                return r;

        f = NULL;
        return 0;
}

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

int fake_store_read(FakeDriver *d) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *e;
        int r;

        if (!d->directory)
                return 0;

        dir = opendir(d->directory);
        if (!dir)
                return -errno;

        while ((e = readdir(dir))) {
                if (e->d_name[0] == '.')
                        continue;

                r = read_one(d, e->d_name);
                if (r < 0)
                        return r;
        }
        return 0;
}
