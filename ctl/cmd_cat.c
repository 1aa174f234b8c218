#include "ctl/command.h"
#include "ctl/fleet.h"
#include "lib/base/alloc.h"
#include "specs/unit_name.h"

int cmd_cat(Context *c) {
        _cleanup_free_ char *name = NULL, *text = NULL;
        _cleanup_(api_unit_freep) ApiUnit *unit = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        int r;

        if (c->arguments.n != 1) {
                err_line(&c->output, "One unit file must be provided");
                return 1;
        }
        r = context_connect(c);
        if (r != 0)
                return r;

        name = unit_name_from_argument(c->arguments.items[0]);
        r = name ? fleet_get_unit(c->client, name, &unit, &e) : -ENOMEM;
        if (r == FLEET_NOT_FOUND) {
                err_line(&c->output, "Unit %s not found", name);
                return 1;
        }
        if (r >= 0)
                r = unit_file_serialise(unit->options, &text);
        if (r < 0) {
                err_line(&c->output, "Error retrieving Unit %s: %s", c->arguments.items[0],
                         error_text(&e));
                return 1;
        }
        out_data(&c->output, text, strlen(text));
        return 0;
}
