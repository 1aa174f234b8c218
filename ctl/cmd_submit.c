#include "ctl/command.h"
#include "ctl/draft.h"

int cmd_submit(Context *c) {
        _cleanup_(draft_list_done) DraftList drafts = { 0 };
        int r;

        if (c->arguments.n == 0) {
                err_line(&c->output, "No units given");
                return 0;
        }
        r = context_connect(c);
        return r ? r : draft_create(c, DESIRED_INACTIVE, &drafts);
}
