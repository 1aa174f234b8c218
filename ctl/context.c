#include "ctl/context.h"

#include "ctl/fleet.h"
#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "specs/glob.h"
#include "specs/unit_name.h"

void context_done(Context *c) {
        c->client = client_free(c->client);
        mem_free(c->command_name);
        strv_done(&c->arguments);
}

int context_connect(Context *c) {
        _cleanup_free_ char *warning = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        int r;

        if (c->client)
                return 0;
        r = client_new(&c->options, &c->client, &warning, &e);
        if (r < 0) {
                err_line(&c->output, "Unable to initialize client: %s", error_text(&e));
                return 1;
        }
        if (warning)
                err_line(&c->output, "%s", warning);
        return 0;
}

/* The names so far, and where each came from. */
typedef struct Names {
        Strv names, arguments;
        Map *seen;
} Names;

static void names_done(Names *n) {
        strv_done(&n->names);
        strv_done(&n->arguments);
        map_free(n->seen);
}

/* Appends a name unless it is there already. */
static int add_once(Names *n, const char *name, const char *argument) {
        int r;

        if (map_get(n->seen, name))
                return 0;
        r = map_put(n->seen, name, n);
        if (r == 0)
                r = strv_push(&n->names, name);
        return r < 0 ? r : strv_push(&n->arguments, argument);
}

static int add_matches(const UnitList *units, const char *argument, const char *name, Names *n) {
        bool found = false;
        int r;

        for (size_t i = 0; i < units->n; i++)
                if (str_eq(units->items[i]->name, name))
                        return add_once(n, name, argument);

        for (size_t i = 0; i < units->n; i++) {
                const char *unit = units->items[i]->name;

                if (!glob_match(name, unit) && !glob_match(argument, unit))
                        continue;
                found = true;
                r = add_once(n, unit, unit);
                if (r < 0)
                        return r;
        }
        return found ? 0 : add_once(n, name, argument);
}

static int add_argument(Context *c, const char *argument, UnitList *units, Names *n,
                        Error *reterr) {
        _cleanup_free_ char *name = unit_name_from_argument(argument);
        int r;

        if (!name)
                return error_fill(reterr, -ENOMEM);
        if (!glob_is_pattern(argument))
                r = add_once(n, name, argument);
        else {
                r = units->items ? 0 : fleet_list_units(c->client, units, reterr);
                if (r < 0)
                        return r;
                r = add_matches(units, argument, name, n);
        }
        return r < 0 ? error_fill(reterr, r) : 0;
}

int context_unit_names(Context *c, Strv *ret_names, Strv *ret_arguments, Error *reterr) {
        _cleanup_(unit_list_done) UnitList units = { 0 };
        _cleanup_(names_done) Names n = { .seen = map_new(NULL) };
        int r;

        if (!n.seen)
                return error_fill(reterr, -ENOMEM);
        for (size_t i = 0; i < c->arguments.n; i++) {
                r = add_argument(c, c->arguments.items[i], &units, &n, reterr);
                if (r < 0)
                        return r;
        }
        *ret_names = n.names;
        n.names = STRV_INIT;
        if (ret_arguments) {
                *ret_arguments = n.arguments;
                n.arguments = STRV_INIT;
        }
        return 0;
}
