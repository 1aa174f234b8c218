#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/* Classes: what MachineID and MachineMetadata leave of the machines is worked out once for all units alike. */

bool core_machine_has_id(const char *id, const char *required) {
        if (strcmp(id, required) == 0)
                return true;
        return strlen(required) == 8 && strncmp(id, required, 8) == 0;
}

bool core_machine_has_metadata(const Machine *m, const RequiredMetadata *r) {
        const char *value = metadata_get(&m->metadata, r->key);

        return value && strv_contains(&r->values, value);
}

static bool fits(const Requirements *q, const Machine *m) {
        if (q->machine_id && !core_machine_has_id(m->id, q->machine_id))
                return false;
        for (size_t i = 0; i < q->n_metadata; i++)
                if (!core_machine_has_metadata(m, &q->metadata[i]))
                        return false;
        return true;
}

void core_class_update(CoreClass *class, const CoreMachine *m) {
        core_bits_put(&class->fits, m->index, fits(class->q, m->document));
}

static void requirements_drop(Requirements *q) {
        if (!q)
                return;
        mem_free(q->machine_id);
        for (size_t i = 0; i < q->n_metadata; i++) {
                mem_free(q->metadata[i].key);
                strv_done(&q->metadata[i].values);
        }
        mem_free(q->metadata);
        mem_free(q);
}

void *core_class_free(void *class) {
        CoreClass *k = class;

        if (!k)
                return NULL;
        mem_free(k->key);
        requirements_drop((Requirements *) (uintptr_t) k->q);
        core_bits_done(&k->fits);
        return mem_free(k);
}

/* Only what a class is about. */
static Requirements *copy(const Requirements *q) {
        Requirements *to = mem_new(Requirements);

        if (!to)
                return NULL;

        to->metadata = mem_new_array(RequiredMetadata, q->n_metadata);
        if (!to->metadata || str_replace(&to->machine_id, q->machine_id) < 0)
                goto out;
        for (; to->n_metadata < q->n_metadata; to->n_metadata++) {
                const RequiredMetadata *from = &q->metadata[to->n_metadata];

                to->metadata[to->n_metadata].key = str_dup(from->key);
                if (!to->metadata[to->n_metadata].key ||
                    strv_copy(&from->values, &to->metadata[to->n_metadata].values) < 0) {
                        to->n_metadata++;
                        goto out;
                }
        }
        return to;

out:
        requirements_drop(to);
        return NULL;
}

static int make_key(const Requirements *q, Buf *key) {
        int r;

        r = buf_append_str(key, q->machine_id ? q->machine_id : "");
        for (size_t i = 0; r >= 0 && i < q->n_metadata; i++) {
                r = buf_printf(key, "\n%s", q->metadata[i].key);
                for (size_t j = 0; r >= 0 && j < q->metadata[i].values.n; j++)
                        r = buf_printf(key, "=%s", q->metadata[i].values.items[j]);
        }
        return r;
}

int core_class_use(Core *c, const Requirements *q, CoreClass **ret) {
        _cleanup_(buf_done) Buf key = BUF_INIT;
        CoreClass *k;

        if (make_key(q, &key) < 0)
                return -ENOMEM;

        k = map_get(c->classes, buf_str(&key));
        if (!k) {
                k = mem_new(CoreClass);
                if (!k)
                        return -ENOMEM;
                k->q = copy(q);
                k->key = str_dup(buf_str(&key));
                if (!k->q || !k->key || core_bits_reserve(&k->fits, c->n_machines) < 0 ||
                    map_put(c->classes, k->key, k) < 0) {
                        (void) core_class_free(k);
                        return -ENOMEM;
                }
                for (size_t i = 0; i < c->n_machines; i++)
                        core_class_update(k, c->order[i]);
        }

        k->users++;
        *ret = k;
        return 0;
}

void core_class_unuse(Core *c, CoreClass *class) {
        if (class && --class->users == 0)
                (void) map_remove(c->classes, class->key);
}
