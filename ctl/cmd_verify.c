#include "ctl/command.h"

int cmd_verify(Context *c) {
        err_line(&c->output,
                 "Command \"verify\" is deprecated, DEPRECATED - No longer works\n"
                 "WARNING: The signed/verified units feature is DEPRECATED and cannot be used.");
        return 2;
}
