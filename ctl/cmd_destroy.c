#include "ctl/command.h"
#include "ctl/known_units.h"
#include "ctl/wait.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* Deletes them all; the names of those that are deleted (or were just deleted by somebody) go to *wait. */
static int delete_units(Context *c, const UnitList *units, WaitUnit *wait, size_t *ret_n) {
        _cleanup_free_ Error *errors = mem_new_array(Error, units->n);
        _cleanup_(strv_done) Strv names = STRV_INIT;
        size_t n = 0;
        int r = errors ? 0 : -ENOMEM;

        for (size_t i = 0; i < units->n && r == 0; i++)
                r = strv_push(&names, units->items[i]->name);
        if (r == 0)
                r = fleet_delete_units(c->client, &names, errors);
        if (r < 0) {
                err_line(&c->output, "Error destroying units: %s", strerror(-r));
                return 1;
        }
        for (size_t i = 0; i < units->n; i++) {
                if (errors[i].code == 0) {
                        wait[n++] = (WaitUnit){ .name = units->items[i]->name };
                        continue;
                }
                err_line(&c->output, "Error destroying units: %s", error_text(errors + i));
                error_done(errors + i);
                r = 1;
        }
        *ret_n = n;
        return r;
}

int cmd_destroy(Context *c) {
        WaitOptions options = { .goal = WATCH_GONE, .attempts = c->options.block_attempts };
        _cleanup_(wait_result_done) WaitResult result = { 0 };
        _cleanup_(unit_list_done) UnitList units = { 0 };
        _cleanup_free_ WaitUnit *wait = NULL;
        size_t n = 0;
        int rc;

        if (known_units_find(c, &units, &rc) != 0)
                return rc;
        wait = mem_new_array(WaitUnit, units.n);
        if (!wait) {
                err_line(&c->output, "Error destroying units: out of memory");
                return 1;
        }
        rc = delete_units(c, &units, wait, &n);
        if (!wait_wanted(&c->options)) {
                for (size_t i = 0; i < n; i++)
                        out_line(&c->output, "Destroyed %s", wait[i].name);
                return rc;
        }
        if (wait_for_units(c, &options, wait, n, &result) == 0)
                return rc;
        err_line(&c->output, "Error destroying units: %s", error_text(&result.error));
        return 1;
}
