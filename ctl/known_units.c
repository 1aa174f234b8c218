#include "ctl/known_units.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

static int find(Context *c, UnitList *ret, Error *reterr) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        size_t n = 0;
        int r;

        r = context_unit_names(c, &names, NULL, reterr);
        if (r == 0)
                r = fleet_get_units(c->client, &names, ret, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ret->n; i++)
                if (ret->items[i])
                        ret->items[n++] = ret->items[i];
        ret->n = n;
        return 0;
}

int known_units_find(Context *c, UnitList *ret, int *ret_rc) {
        _cleanup_error_ Error e = ERROR_INIT;

        *ret_rc = 0;
        if (c->arguments.n == 0) {
                err_line(&c->output, "No units given");
                return 1;
        }
        *ret_rc = context_connect(c);
        if (*ret_rc != 0)
                return 1;
        if (find(c, ret, &e) < 0) {
                err_line(&c->output, "Error retrieving list of units from repository: %s",
                         error_text(&e));
                *ret_rc = 1;
                return 1;
        }
        if (ret->n == 0) {
                err_line(&c->output, "Units not found in registry");
                return 1;
        }
        return 0;
}

char *known_units_format(const WaitUnit *units, size_t n) {
        Buf b = BUF_INIT;
        char *text;
        int r;

        r = buf_append_char(&b, '[');
        for (size_t i = 0; i < n && r == 0; i++)
                r = buf_printf(&b, "%s%s", i ? " " : "", units[i].name);
        if (r == 0)
                r = buf_append_char(&b, ']');
        text = r < 0 ? NULL : buf_steal(&b);
        buf_done(&b);
        return text;
}

static int set(Context *c, const char *const *names, ApiUnit **units, size_t n,
               DesiredState desired, Error *reterr) {
        size_t failed;
        int r;

        for (size_t i = 0; i < n; i++) {
                units[i] = api_unit_new(names[i]);
                if (!units[i] ||
                    str_replace(&units[i]->desired_state, desired_state_to_string(desired)) < 0)
                        return error_fill(reterr, -ENOMEM);
        }
        r = fleet_put_units(c->client, units, n, &failed, reterr);
        if (r < 0)
                error_prefix(reterr, "failed setting target state of unit %s", names[failed]);
        return r;
}

int known_units_set(Context *c, const char *const *names, size_t n, DesiredState desired) {
        _cleanup_free_ ApiUnit **units = mem_new_array(ApiUnit *, n);
        _cleanup_error_ Error e = ERROR_INIT;
        int r;

        if (n == 0)
                return 0;
        r = units ? set(c, names, units, n, desired, &e) : error_fill(&e, -ENOMEM);
        for (size_t i = 0; units && i < n; i++)
                api_unit_free(units[i]);
        if (r < 0)
                err_line(&c->output, "Error: %s", error_text(&e));
        return r < 0 ? 1 : 0;
}
