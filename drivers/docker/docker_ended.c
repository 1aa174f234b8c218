/*
 * The ids of containers whose end has been told already, in a file that outlives the daemon: a container
 * that is found ended after a restart of fleetd is either one of these, or ended while nobody looked.
 * Losing the file (or the last lines, in a power cut) makes an end be told once more, no worse.
 */
#include <fcntl.h>
#include <unistd.h>

#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

#define ENDED_MAX 10000 /* more are forgotten, all at once */
#define ENDED_FILE_MAX_BYTES (1 * MIB)

static char told[] = "1";

void docker_ended_load(DockerDriver *d) {
        _cleanup_(strv_done) Strv ids = STRV_INIT;
        _cleanup_free_ char *text = NULL;

        if (fs_read_file(d->ended_path, ENDED_FILE_MAX_BYTES, &text, NULL) < 0 ||
            strv_split(&ids, text, "\n") < 0)
                return;
        for (size_t i = 0; i < ids.n; i++)
                (void) map_put(d->ended, ids.items[i], told);
}

bool docker_ended_has(const DockerDriver *d, const char *id) {
        return map_get(d->ended, id) != NULL;
}

void docker_ended_add(DockerDriver *d, const char *id) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *line = str_printf("%s\n", id);
        bool full = map_count(d->ended) >= ENDED_MAX;

        if (full)
                map_clear(d->ended);
        if (!line || map_put(d->ended, id, told) < 0)
                return;
        fd = open(d->ended_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (full ? O_TRUNC : 0),
                  0600);
        if (fd >= 0 && write(fd, line, strlen(line)) < 0)
                return; /* see above */
}

/* What is no more needs no mark. */
void docker_ended_prune(DockerDriver *d, const json_t *containers) {
        _cleanup_(buf_done) Buf text = BUF_INIT;
        _cleanup_(map_freep) Map *kept = map_new(NULL);
        const json_t *j;
        size_t i;

        if (!kept || map_count(d->ended) == 0)
                return;
        json_array_foreach(containers, i, j) {
                const char *id = json_string_value(json_object_get(j, "Id"));

                if (id && docker_ended_has(d, id) &&
                    (map_put(kept, id, told) < 0 || buf_printf(&text, "%s\n", id) < 0))
                        return;
        }
        if (map_count(kept) == map_count(d->ended))
                return;
        (void) map_free(d->ended);
        d->ended = TAKE_PTR(kept);
        (void) fs_write_file(d->ended_path, buf_str(&text), text.size, 0600);
}
