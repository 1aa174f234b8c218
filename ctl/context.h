/*
 * Context: what a command gets: its options and arguments, where to print, and the API when it asks.
 *
 * Owned by main; the client is made at the first use, so that `fleetctl version` loads nothing.
 */
#pragma once

#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/output.h"
#include "lib/base/base.h"
#include "lib/base/strv.h"

typedef struct Context {
        Options options;
        char *command_name; /* as it was typed; NULL if none was */
        Strv arguments;     /* behind the command's name */
        Output output;
        Client *client; /* NULL until context_connect() */
} Context;

void context_done(Context *c);

/* Makes the client. Returns 0, or an exit code after saying why ("Unable to initialize client: …"). */
int context_connect(Context *c);

/*
 * The units that the arguments name, mangled as fleet does, each once, in their order. An argument
 * with *, ? or [ that is no unit's own name stands for every unit of the registry it matches; if
 * there is none, it stays as it is. ret_arguments (may be NULL) gets the argument each name came
 * from, or the name itself where a pattern matched it. -EREMOTEIO and the like with words.
 */
int context_unit_names(Context *c, Strv *ret_names, Strv *ret_arguments, Error *reterr);
