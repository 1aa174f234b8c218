#include "ctl/draft.h"

#include <sys/stat.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "specs/requirements.h"
#include "specs/unit_name.h"

/* A unit file on this machine that a draft can be made of. */
typedef struct LocalFile {
        char *path;
        bool is_template; /* the template beside it, not itself */
        UnitFile *file;   /* NULL: it cannot be read, see error */
        Error error;
} LocalFile;

static void local_file_done(LocalFile *l) {
        mem_free(l->path);
        unit_file_free(l->file);
        error_done(&l->error);
        *l = (LocalFile){ 0 };
}

void draft_list_done(DraftList *l) {
        for (size_t i = 0; l->items && i < l->n; i++) {
                mem_free(l->items[i].argument);
                mem_free(l->items[i].name);
                api_unit_free(l->items[i].existing);
                api_unit_free(l->items[i].upload);
        }
        mem_free(l->items);
        *l = (DraftList){ 0 };
}

const ApiUnit *draft_unit(const Draft *d) {
        return d->upload ? d->upload : d->existing;
}

bool draft_is_global(const ApiUnit *u) {
        _cleanup_(requirements_freep) Requirements *q = NULL;

        /* Most have no such section: lists of thousands are asked this for each cell. */
        return unit_file_has_section(u->options, "X-Fleet") &&
               requirements_parse(u->name, u->options, &q, NULL, NULL) == 0 && q->global;
}

/* ---- where units come from -------------------------------------------------------------------- */

static int template_of(const char *name, char **ret) {
        UnitName n = { 0 };
        int r;

        *ret = NULL;
        r = unit_name_parse(name, &n);
        if (r < 0)
                return r;
        if (n.instance)
                *ret = str_dup(n.template_name);
        r = n.instance && !*ret ? -ENOMEM : 0;
        unit_name_done(&n);
        return r;
}

static bool is_file(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Reads the file; why it cannot be read is kept in l->error. */
static int local_file_read(LocalFile *l) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = fs_read_file(l->path, UNIT_FILE_SIZE_MAX, &text, &size);
        if (r == -EFBIG)
                return error_set(&l->error, r, "%s is longer than %zu bytes", l->path,
                                 UNIT_FILE_SIZE_MAX);
        if (r < 0)
                return error_set(&l->error, r, "open %s: %s", l->path, strerror(-r));
        r = unit_file_parse(text, size, &l->file, &l->error);
        if (r < 0 && l->error.line)
                error_prefix(&l->error, "line %u", l->error.line);
        return r;
}

/* dir/web@.service for the argument dir/web@1.service. */
static char *beside(const char *argument, const char *template_name) {
        const char *slash = strrchr(argument, '/');

        return str_printf("%.*s%s", slash ? (int) (slash - argument + 1) : 0, argument,
                          template_name);
}

/* The file at the given path, or (`templates`) the template in its directory. l->path stays NULL if there is none. */
static int local_file_find(const Draft *d, bool itself, bool templates, LocalFile *l) {
        _cleanup_free_ char *template_name = NULL;
        int r;

        if (itself && is_file(d->argument)) {
                l->path = str_dup(d->argument);
                if (!l->path)
                        return -ENOMEM;
                (void) local_file_read(l);
                return 0;
        }
        if (!templates)
                return 0;
        r = template_of(d->name, &template_name);
        if (r < 0 || !template_name)
                return r;
        l->path = beside(d->argument, template_name);
        if (!l->path)
                return -ENOMEM;
        if (!is_file(l->path)) {
                l->path = mem_free(l->path);
                return 0;
        }
        l->is_template = true;
        (void) local_file_read(l);
        return 0;
}

/* What go's log of fleetctl looked like. */
static void warn(Context *c, const char *name, const char *text) {
        char stamp[32] = "";
        time_t now = time(NULL);
        struct tm tm;

        if (localtime_r(&now, &tm))
                (void) strftime(stamp, sizeof(stamp), "%Y/%m/%d %H:%M:%S", &tm);
        err_line(&c->output, "%s WARN fleetctl: Unit %s: %s", stamp, name, text);
}

static int check(Context *c, const char *name, const UnitFile *file, Error *reterr) {
        _cleanup_(requirements_freep) Requirements *q = NULL;
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        int r;

        r = unit_validate(name, file, reterr);
        if (r < 0)
                return r;
        r = requirements_parse(name, file, &q, &warnings, reterr);
        for (size_t i = 0; i < warnings.n; i++)
                warn(c, name, warnings.items[i]);
        return r;
}

/* The draft's upload of that content; takes file on success. */
static int make_upload(Draft *d, UnitFile *file, const char *desired) {
        _cleanup_(api_unit_freep) ApiUnit *u = api_unit_new(d->name);

        if (!u || str_replace(&u->desired_state, desired) < 0)
                return -ENOMEM;
        unit_file_free(u->options);
        u->options = file;
        d->upload = TAKE_PTR(u);
        return 0;
}

/* ---- units that are there already ------------------------------------------------------------- */

static int differs(const Draft *d, const UnitFile *file, bool *ret) {
        char a[SHA1_HEX_SIZE], b[SHA1_HEX_SIZE];
        int r;

        r = unit_file_hash(file, a);
        if (r == 0)
                r = unit_file_hash(d->existing->options, b);
        if (r < 0)
                return r;
        *ret = !str_eq(a, b);
        return 0;
}

static int replace(Context *c, Draft *d, LocalFile *l, DesiredState up_to, Error *reterr) {
        DesiredState desired = DESIRED_INACTIVE;
        int r;

        (void) desired_state_from_string(str_or(d->existing->desired_state, ""), &desired);
        if (desired > up_to) {
                err_line(&c->output,
                         "Warning: can not replace Unit(%s) in state '%s', use the appropriate "
                         "command",
                         d->name, d->existing->desired_state);
                return 0;
        }
        r = check(c, d->name, l->file, reterr);
        if (r < 0)
                return r;
        /* In the state it is in: a unit that runs is replaced where it runs. */
        r = make_upload(d, l->file, desired_state_to_string(desired));
        if (r < 0)
                return error_fill(reterr, r);
        l->file = NULL;
        return 0;
}

static int prepare_existing(Context *c, Draft *d, DesiredState up_to, Error *reterr) {
        _cleanup_(local_file_done) LocalFile l = { 0 };
        bool different = false;
        int r;

        r = local_file_find(d, true, true, &l);
        if (r < 0)
                return error_fill(reterr, r);
        if (!l.path)
                return 0;
        if (!l.file && c->options.replace)
                return error_set(reterr, -EINVAL, "failed getting Unit(%s) from file: %s",
                                 d->argument, error_text(&l.error));
        if (!l.file) {
                warn(c, d->name, error_text(&l.error));
                return 0;
        }
        r = differs(d, l.file, &different);
        if (r < 0)
                return error_fill(reterr, r);

        if (different && c->options.replace)
                return replace(c, d, &l, up_to, reterr);
        if (different)
                err_line(&c->output,
                         "WARNING: Unit %s in registry differs from local %sunit file %s. Add "
                         "--replace to override.",
                         d->name, l.is_template ? "template " : "", l.path);
        else if (c->options.replace)
                out_line(&c->output, "Found same Unit(%s) in Registry, nothing to do", d->name);
        return 0;
}

/* ---- units that are new ----------------------------------------------------------------------- */

static int upload_file(Context *c, Draft *d, LocalFile *l, Error *reterr) {
        int r;

        if (!l->file)
                return error_set(reterr, -EINVAL, "failed getting Unit(%s) from %s: %s",
                                 d->argument, l->is_template ? "template" : "file",
                                 error_text(&l->error));
        r = check(c, d->name, l->file, reterr);
        if (r < 0)
                return r;
        r = make_upload(d, l->file, desired_state_to_string(DESIRED_INACTIVE));
        if (r < 0)
                return error_fill(reterr, r);
        l->file = NULL;
        return 0;
}

/* Copies the content of a template of the registry. */
static int upload_copy(Context *c, Draft *d, const ApiUnit *template, Error *reterr) {
        _cleanup_(unit_file_freep) UnitFile *copy = unit_file_new();
        int r;

        if (!copy)
                return error_fill(reterr, -ENOMEM);
        for (size_t i = 0; i < template->options->n_options; i++) {
                const UnitOption *o = template->options->options + i;

                r = unit_file_add(copy, o->section, o->name, o->value, reterr);
                if (r < 0)
                        return r;
        }
        r = check(c, d->name, copy, reterr);
        if (r < 0)
                return r;
        r = make_upload(d, copy, desired_state_to_string(DESIRED_INACTIVE));
        if (r < 0)
                return error_fill(reterr, r);
        copy = NULL;
        return 0;
}

static int prepare_from_template(Context *c, Draft *d, const char *template_name,
                                 const ApiUnit *template, Error *reterr) {
        _cleanup_(local_file_done) LocalFile l = { 0 };
        int r;

        if (template)
                return upload_copy(c, d, template, reterr);
        r = local_file_find(d, false, true, &l);
        if (r < 0)
                return error_fill(reterr, r);
        if (l.path)
                return upload_file(c, d, &l, reterr);
        return error_set(reterr, -ENOENT,
                         "failed getting Unit(%s) from template: unable to find template Unit(%s) "
                         "in Registry or on filesystem",
                         d->argument, template_name);
}

/* The templates of the registry that drafts without a file may be instances of. Keys are their names. */
static int get_templates(Context *c, const DraftList *l, Map *templates, Error *reterr) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        _cleanup_(unit_list_done) UnitList units = { 0 };
        int r;

        for (size_t i = 0; i < l->n; i++) {
                _cleanup_free_ char *name = NULL;

                r = l->items[i].existing || is_file(l->items[i].argument)
                            ? 0
                            : template_of(l->items[i].name, &name);
                if (r == 0 && name)
                        r = strv_push(&names, name);
                if (r < 0)
                        return error_fill(reterr, r);
        }
        if (names.n == 0)
                return 0;
        strv_sort(&names);
        strv_uniq(&names);
        r = fleet_get_units(c->client, &names, &units, reterr);
        for (size_t i = 0; r == 0 && i < units.n; i++) {
                if (!units.items[i])
                        continue;
                r = map_put(templates, names.items[i], units.items[i]);
                if (r < 0)
                        return error_fill(reterr, r);
                units.items[i] = NULL;
        }
        return r;
}

static int prepare_new(Context *c, Draft *d, const Map *templates, Error *reterr) {
        _cleanup_(local_file_done) LocalFile l = { 0 };
        _cleanup_free_ char *template_name = NULL;
        int r;

        r = local_file_find(d, true, false, &l);
        if (r == 0 && !l.path)
                r = template_of(d->name, &template_name);
        if (r < 0)
                return error_fill(reterr, r);
        if (l.path)
                return upload_file(c, d, &l, reterr);
        if (template_name)
                return prepare_from_template(c, d, template_name, map_get(templates, template_name),
                                             reterr);
        return error_set(reterr, -ENOENT, "unable to find Unit(%s) in Registry or on filesystem",
                         d->name);
}

/* ---- all of them ------------------------------------------------------------------------------ */

static int draft_list_init(Context *c, DraftList *l, Error *reterr) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        _cleanup_(strv_done) Strv arguments = STRV_INIT;
        _cleanup_(unit_list_done) UnitList existing = { 0 };
        int r;

        r = context_unit_names(c, &names, &arguments, reterr);
        if (r < 0)
                return r;
        r = fleet_get_units(c->client, &names, &existing, reterr);
        if (r < 0)
                return r;
        l->items = mem_new_array(Draft, names.n);
        if (!l->items)
                return error_fill(reterr, -ENOMEM);
        for (; l->n < names.n; l->n++) {
                Draft *d = l->items + l->n;

                d->name = TAKE_PTR(names.items[l->n]);
                d->argument = TAKE_PTR(arguments.items[l->n]);
                d->existing = TAKE_PTR(existing.items[l->n]);
        }
        return 0;
}

static void *free_unit(void *u) {
        return api_unit_free(u);
}

static int prepare(Context *c, DraftList *l, DesiredState up_to, Error *reterr) {
        _cleanup_(map_freep) Map *templates = map_new(free_unit);
        int r;

        if (!templates)
                return error_fill(reterr, -ENOMEM);
        r = draft_list_init(c, l, reterr);
        if (r == 0)
                r = get_templates(c, l, templates, reterr);
        for (size_t i = 0; i < l->n && r == 0; i++) {
                Draft *d = l->items + i;

                r = d->existing ? prepare_existing(c, d, up_to, reterr)
                                : prepare_new(c, d, templates, reterr);
        }
        return r;
}

static int upload(Context *c, const DraftList *l, Error *reterr) {
        _cleanup_free_ ApiUnit **units = mem_new_array(ApiUnit *, l->n);
        size_t n = 0, failed;
        int r;

        if (!units)
                return error_fill(reterr, -ENOMEM);
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].upload)
                        units[n++] = l->items[i].upload;
        if (n == 0)
                return 0;
        r = fleet_put_units(c->client, units, n, &failed, reterr);
        if (r < 0)
                error_prefix(reterr, "failed creating unit %s", units[failed]->name);
        return r;
}

int draft_create(Context *c, DesiredState replace_up_to, DraftList *ret) {
        _cleanup_(draft_list_done) DraftList l = { 0 };
        _cleanup_error_ Error e = ERROR_INIT;
        int r;

        if (c->options.sign)
                err_line(&c->output, "WARNING: The signed/verified units feature is DEPRECATED and "
                                     "cannot be used.");
        r = prepare(c, &l, replace_up_to, &e);
        if (r == 0)
                r = upload(c, &l, &e);
        if (r < 0) {
                err_line(&c->output, "Error creating units: %s", error_text(&e));
                return 1;
        }
        for (size_t i = 0; i < l.n; i++) {
                const ApiUnit *u = l.items[i].upload;

                /* B3.5: a global unit has no state to show, and its line ends with a space. */
                if (u && str_eq(u->desired_state, desired_state_to_string(DESIRED_INACTIVE)))
                        out_line(&c->output, "Unit %s %s", u->name,
                                 draft_is_global(u) ? "" : u->desired_state);
        }
        out_flush(&c->output);
        *ret = l;
        l = (DraftList){ 0 };
        return 0;
}
