#include "specs/requirements.h"

#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/glob.h"
#include "specs/unit_name.h"

#define SECTION "X-Fleet"

typedef struct Parser {
        UnitName name;
        const UnitFile *file;
        Requirements *requirements;
        Strv *warnings;
        Error *reterr;
} Parser;

Requirements *requirements_free(Requirements *q) {
        if (!q)
                return NULL;

        for (size_t i = 0; i < q->n_metadata; i++) {
                mem_free(q->metadata[i].key);
                strv_done(&q->metadata[i].values);
        }
        mem_free(q->metadata);
        mem_free(q->machine_id);
        mem_free(q->driver);
        strv_done(&q->machine_of);
        strv_done(&q->conflicts);
        strv_done(&q->replaces);
        return mem_free(q);
}

/* ---- values ------------------------------------------------------------------------------------ */

/* Replaces every '%' and `letter` in *s, textually. 0, -EFBIG or -ENOMEM. */
static int replace_all(char **s, char letter, const char *by) {
        _cleanup_(buf_done) Buf b = { .limit = UNIT_FILE_SIZE_MAX };
        char *replaced;
        int r = 0;

        for (const char *at = *s; r >= 0 && *at;) {
                bool found = at[0] == '%' && at[1] == letter;
                size_t n = found ? 2 : 1 + strcspn(at + 1, "%");

                r = found ? buf_append_str(&b, by) : buf_append(&b, at, n);
                at += n;
        }
        if (r < 0)
                return r;

        replaced = buf_steal(&b);
        if (!replaced)
                return -ENOMEM;

        mem_free(*s);
        *s = replaced;
        return 0;
}

/* Fleet's four, in fleet's order. */
static int expand_specifiers(const Parser *p, char **s) {
        const UnitName *n = &p->name;
        const struct {
                char letter;
                const char *by;
        } steps[] = {
                { 'n', n->full },
                { 'N', n->name },
                { 'p', n->prefix },
                { 'i', n->instance ? n->instance : "" },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                r = replace_all(s, steps[i].letter, steps[i].by);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int push_value(const Parser *p, const char *text, size_t size, Strv *values) {
        _cleanup_free_ char *value = mem_dup(text, size);
        int r;

        if (!value)
                return -ENOMEM;

        r = expand_specifiers(p, &value);
        if (r == -EFBIG)
                return error_set(p->reterr, -EINVAL,
                                 "value in [" SECTION "] section is too long (max %zu bytes)",
                                 UNIT_FILE_SIZE_MAX);
        if (r < 0 || value[0] == '\0')
                return r;

        r = strv_take(values, value);
        if (r >= 0)
                value = NULL;
        return r;
}

/* `"a" "b c"` is two values, if the line starts and ends with a quote; every other line is one. */
static int push_line(const Parser *p, const char *line, Strv *values) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        size_t size = strlen(line);
        bool quoted = false;
        int r;

        if (size < 2 || line[0] != '"' || line[size - 1] != '"')
                return push_value(p, line, size, values);

        for (const char *s = line; *s; s++) {
                if (*s == '"') {
                        quoted = !quoted;
                        r = 0;
                } else if (*s == ' ' && !quoted) {
                        r = push_value(p, buf_str(&b), b.size, values);
                        buf_clear(&b);
                } else
                        r = buf_append_char(&b, *s);
                if (r < 0)
                        return r;
        }
        return push_value(p, buf_str(&b), b.size, values);
}

/* Appends all values of a key, without empty ones. */
static int collect(const Parser *p, const char *key, Strv *values) {
        const UnitOption *o;
        size_t at = 0;
        int r;

        while ((o = unit_file_next(p->file, SECTION, &at))) {
                if (!str_eq(o->name, key))
                        continue;
                r = push_line(p, o->value, values);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_limits(const Parser *p, const char *key, const Strv *values) {
        if (values->n > REQUIREMENT_VALUES_MAX)
                return error_set(p->reterr, -EINVAL,
                                 "too many values of %s in [" SECTION "] section (max %d)", key,
                                 REQUIREMENT_VALUES_MAX);

        for (size_t i = 0; i < values->n; i++)
                if (strlen(values->items[i]) > REQUIREMENT_BYTES_MAX)
                        return error_set(p->reterr, -EINVAL,
                                         "value of %s in [" SECTION
                                         "] section is too long (max %d bytes)",
                                         key, REQUIREMENT_BYTES_MAX);
        return 0;
}

/* All values of a key and of the name it once had. */
static int read_list(const Parser *p, const char *key, const char *alias, Strv *values) {
        int r;

        r = collect(p, key, values);
        if (r >= 0 && alias)
                r = collect(p, alias, values);
        if (r < 0)
                return r;

        return check_limits(p, key, values);
}

/* ---- keys -------------------------------------------------------------------------------------- */

static int read_machine_id(Parser *p) {
        static const char *const keys[] = { "MachineID", "X-ConditionMachineID",
                                            "X-ConditionMachineBootID" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_(strv_done) Strv values = STRV_INIT;
                int r;

                r = read_list(p, keys[i], NULL, &values);
                if (r < 0)
                        return r;
                if (values.n > 0)
                        return str_replace(&p->requirements->machine_id, values.items[0]);
        }
        return 0;
}

static RequiredMetadata *find_metadata(Requirements *q, const char *key, size_t size) {
        for (size_t i = 0; i < q->n_metadata; i++)
                if (strlen(q->metadata[i].key) == size &&
                    memcmp(q->metadata[i].key, key, size) == 0)
                        return &q->metadata[i];

        return NULL;
}

static int add_metadata(Requirements *q, const char *pair) {
        size_t size = strcspn(pair, "=");
        RequiredMetadata *m = find_metadata(q, pair, size);
        int r;

        if (!m) {
                r = mem_grow(&q->metadata, &q->metadata_capacity, q->n_metadata + 1, sizeof(*m));
                if (r < 0)
                        return r;

                m = &q->metadata[q->n_metadata];
                *m = (RequiredMetadata){ .key = str_ndup(pair, size) };
                if (!m->key)
                        return -ENOMEM;
                q->n_metadata++;
        }
        return strv_push(&m->values, pair + size + 1);
}

static bool is_pair(const char *s) {
        const char *equals = strchr(s, '=');

        return equals && equals > s && equals[1] != '\0' && !strchr(equals + 1, '=');
}

static int read_metadata(Parser *p) {
        _cleanup_(strv_done) Strv values = STRV_INIT;
        int r;

        r = read_list(p, "MachineMetadata", "X-ConditionMachineMetadata", &values);
        if (r < 0)
                return r;

        for (size_t i = 0; i < values.n; i++) {
                const char *value = values.items[i];

                if (is_pair(value))
                        r = add_metadata(p->requirements, value);
                else if (p->warnings)
                        r = strv_push_printf(p->warnings,
                                             "malformed MachineMetadata in [" SECTION
                                             "] section is ignored: \"%s\" is not key=value",
                                             value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_conflicts(Parser *p) {
        _cleanup_(strv_done) Strv values = STRV_INIT;
        int r;

        r = collect(p, "Conflicts", &values);
        if (r >= 0)
                r = collect(p, "X-Conflicts", &values);
        for (size_t i = 0; r >= 0 && i < values.n; i++)
                r = strv_split(&p->requirements->conflicts, values.items[i], " \t\n\v\f\r");
        if (r < 0)
                return r;

        return check_limits(p, "Conflicts", &p->requirements->conflicts);
}

static int read_global(Parser *p) {
        static const char *const yes[] = { "true", "yes", "1", "on", "t" };
        _cleanup_(strv_done) Strv values = STRV_INIT;
        int r;

        r = collect(p, "Global", &values);
        if (r < 0 || values.n == 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (strcasecmp(values.items[values.n - 1], yes[i]) == 0)
                        p->requirements->global = true;

        return 0;
}

/* The last value of one of our own keys, which must be one of the words: its index, or -1 for none. */
static int read_word(Parser *p, const char *key, const char *const *words, int *ret) {
        _cleanup_(strv_done) Strv values = STRV_INIT;
        const char *value;
        int r;

        *ret = -1;
        r = collect(p, key, &values);
        if (r < 0 || values.n == 0)
                return r;

        value = values.items[values.n - 1];
        for (int i = 0; words[i]; i++)
                if (str_eq(value, words[i])) {
                        *ret = i;
                        return 0;
                }

        _cleanup_(strv_done) Strv known = STRV_INIT;
        _cleanup_free_ char *list = NULL;

        for (int i = 0; words[i]; i++) {
                r = strv_push(&known, words[i]);
                if (r < 0)
                        return r;
        }
        list = strv_join(&known, ", ");
        return error_set(p->reterr, -EINVAL,
                         "invalid %s in [" SECTION "] section: '%s' is none of %s", key, value,
                         list ? list : "the known ones");
}

static int read_our_keys(Parser *p) {
        static const char *const reactions[] = {
                [ON_DISCONNECT_KEEP] = "keep", [ON_DISCONNECT_STOP] = "stop", NULL
        };
        static const char *const drivers[] = {
                "auto", "docker", "process", "rkt", "systemd", NULL
        };
        int index, r;

        r = read_word(p, "OnDisconnect", reactions, &index);
        if (r < 0)
                return r;
        p->requirements->on_disconnect = index < 0 ? ON_DISCONNECT_KEEP : (OnDisconnect) index;

        r = read_word(p, "Driver", drivers, &index);
        if (r < 0 || index <= 0)
                return r;

        return str_replace(&p->requirements->driver, drivers[index]);
}

static int warn_unknown_keys(const Parser *p) {
        static const char *const known[] = {
                "Conflicts",
                "Driver",
                "Global",
                "MachineID",
                "MachineMetadata",
                "MachineOf",
                "OnDisconnect",
                "Replaces",
                "X-ConditionMachineBootID",
                "X-ConditionMachineID",
                "X-ConditionMachineMetadata",
                "X-ConditionMachineOf",
                "X-Conflicts",
        };
        const UnitOption *o;
        size_t at = 0;
        int r;

        while (p->warnings && (o = unit_file_next(p->file, SECTION, &at))) {
                bool is_known = false;

                for (size_t i = 0; i < ELEMENTSOF(known); i++)
                        is_known = is_known || str_eq(o->name, known[i]);
                if (is_known)
                        continue;

                r = strv_push_printf(p->warnings,
                                     "unrecognized requirement in [" SECTION "] section: \"%s\"",
                                     o->name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_all(Parser *p) {
        Requirements *q = p->requirements;
        int r;

        r = read_machine_id(p);
        if (r >= 0)
                r = read_list(p, "MachineOf", "X-ConditionMachineOf", &q->machine_of);
        if (r >= 0)
                r = read_metadata(p);
        if (r >= 0)
                r = read_conflicts(p);
        if (r >= 0)
                r = read_list(p, "Replaces", NULL, &q->replaces);
        if (r >= 0)
                r = read_global(p);
        if (r >= 0)
                r = read_our_keys(p);
        if (r >= 0)
                r = warn_unknown_keys(p);
        return r;
}

int requirements_parse(const char *unit_name, const UnitFile *u, Requirements **ret, Strv *warnings,
                       Error *reterr) {
        _cleanup_(requirements_freep) Requirements *q = mem_new(Requirements);
        Parser p = { .file = u, .requirements = q, .warnings = warnings, .reterr = reterr };
        int r;

        if (!q)
                return -ENOMEM;

        r = unit_name_parse(unit_name, &p.name);
        if (r < 0)
                return r;

        r = read_all(&p);
        unit_name_done(&p.name);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(q);
        return 0;
}

/* ---- contradictions ---------------------------------------------------------------------------- */

static int check_peer(const char *peer, const Strv *globs, const char *what, Error *reterr) {
        for (size_t i = 0; i < globs->n; i++)
                if (glob_match(globs->items[i], peer))
                        return error_set(reterr, -EINVAL,
                                         "unresolvable requirements: peer \"%s\" matches %s \"%s\"",
                                         peer, what, globs->items[i]);

        return 0;
}

static int check_peers(const Requirements *q, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < q->machine_of.n; i++) {
                r = check_peer(q->machine_of.items[i], &q->conflicts, "conflict", reterr);
                if (r >= 0)
                        r = check_peer(q->machine_of.items[i], &q->replaces, "replace", reterr);
        }
        return r;
}

int requirements_validate(const Requirements *q, Error *reterr) {
        bool id = q->machine_id, peers = q->machine_of.n > 0, conflicts = q->conflicts.n > 0,
             replaces = q->replaces.n > 0;
        const struct {
                bool both;
                const char *first, *second;
        } exclusions[] = {
                { id && peers, "MachineID", "Peers" },
                { id && conflicts, "MachineID", "Conflicts" },
                { id && q->global, "MachineID", "Global" },
                { id && replaces, "MachineID", "Replaces" },
                { q->global && peers, "Global", "Peers" },
                { q->global && replaces, "Global", "Replaces" },
                { conflicts && replaces, "Conflicts", "Replaces" },
        };
        int r;

        r = check_peers(q, reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(exclusions); i++)
                if (exclusions[i].both)
                        return error_set(reterr, -EINVAL, "%s cannot be used with %s",
                                         exclusions[i].first, exclusions[i].second);

        return 0;
}

int unit_validate(const char *unit_name, const UnitFile *u, Error *reterr) {
        _cleanup_(requirements_freep) Requirements *q = NULL;
        int r;

        r = unit_name_validate(unit_name, reterr);
        if (r >= 0)
                r = requirements_parse(unit_name, u, &q, NULL, reterr);
        if (r >= 0)
                r = requirements_validate(q, reterr);
        return r;
}
