#include "ctl/command.h"

#include "lib/base/str.h"

static int completion(Context *c) {
        Buf b = BUF_INIT;
        int r = command_completion(&b);

        out_data(&c->output, buf_str(&b), b.size);
        buf_done(&b);
        return r < 0 ? 1 : 0;
}

int cmd_help(Context *c) {
        const Command *command;
        Buf b = BUF_INIT;
        int r;

        if (str_eq(c->options.output, "completion"))
                return completion(c);
        if (!str_eq(c->options.output, "text")) {
                err_line(&c->output, "Invalid output format: \"%s\" is none of text, completion",
                         c->options.output);
                return 1;
        }
        if (c->arguments.n == 0)
                return command_help(c, NULL);
        command = command_find(c->arguments.items[0]);
        if (command)
                return command_help(c, command);

        r = command_unknown(c->arguments.items[0], &b);
        if (r == 0)
                err_line(&c->output, "%.*s", (int) b.size - 1, buf_str(&b));
        buf_done(&b);
        return 1;
}
