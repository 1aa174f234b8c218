#include "ctl/command.h"

int cmd_version(Context *c) {
        out_line(&c->output, "fleetctl version %s", VERSION);
        return 0;
}
