#include "agent/known_drivers.h"

#include "lib/base/alloc.h"
#include "lib/base/fs.h"

#define KNOWN_DRIVERS_SIZE_MAX (4 * KIB)

int known_drivers_read(const char *path, Strv *names) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = fs_read_file(path, KNOWN_DRIVERS_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = strv_split(names, text, "\n");
        strv_sort(names);
        strv_uniq(names);
        return r;
}

int known_drivers_add(const char *path, const Strv *available, Strv *names) {
        _cleanup_free_ char *text = NULL;
        size_t before = names->n;
        int r;

        for (size_t i = 0; i < available->n; i++) {
                if (strv_contains(names, available->items[i]))
                        continue;
                r = strv_push(names, available->items[i]);
                if (r < 0)
                        return r;
        }
        if (names->n == before)
                return 0;
        strv_sort(names);
        text = strv_join(names, "\n");
        if (!text)
                return -ENOMEM;
        r = fs_write_file(path, text, strlen(text), 0644);
        return r < 0 ? r : 1;
}
