#include "drivers/docker/docker_command.h"

#include "drivers/docker/docker_create.h"
#include "drivers/docker/docker_flags.h"
#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static const char *const verbs[_DOCKER_VERB_MAX] = {
        [DOCKER_PULL] = "pull",   [DOCKER_RUN] = "run",   [DOCKER_CREATE] = "create",
        [DOCKER_START] = "start", [DOCKER_STOP] = "stop", [DOCKER_KILL] = "kill",
        [DOCKER_RM] = "rm",
};

/* What the CLI knows beside these; named in the refusal. */
static const char *const other_verbs[] = {
        "attach",  "build",  "builder", "commit", "compose", "config",  "container", "context",
        "cp",      "diff",   "events",  "exec",   "export",  "history", "image",     "images",
        "import",  "info",   "inspect", "load",   "login",   "logout",  "logs",      "manifest",
        "network", "node",   "pause",   "plugin", "port",    "ps",      "push",      "rename",
        "restart", "rmi",    "save",    "search", "secret",  "service", "stack",     "stats",
        "swarm",   "system", "tag",     "top",    "trust",   "unpause", "update",    "version",
        "volume",  "wait",   "buildx",
};

const char *docker_verb_to_string(DockerVerb v) {
        return verbs[v];
}

bool docker_command_is_docker(const char *path) {
        const char *slash = strrchr(path, '/');

        return str_eq(slash ? slash + 1 : path, "docker");
}

DockerCommand *docker_command_free(DockerCommand *c) {
        if (!c)
                return NULL;
        strv_done(&c->names);
        mem_free(c->image);
        mem_free(c->name);
        mem_free(c->platform);
        mem_free(c->cidfile);
        mem_free(c->signal);
        json_decref(c->body);
        return mem_free(c);
}

/* ---- flags ------------------------------------------------------------------------------------ */

static bool may_change(const DockerParse *p, const char *word) {
        return p->options->mode == DOCKER_PARSE_VALUES && strpbrk(word, "$%");
}

/* A word of its own that is a variable is split at white space: into none, one or several words. */
static bool may_split(const DockerParse *p, const char *word) {
        return p->options->mode != DOCKER_PARSE_FULL && word[0] == '$' && word[1] != '{' &&
               word[1] != '$';
}

static int flag_set(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        DockerVerb verb = p->command->verb;
        int r;

        if (!f->set)
                return error_set(reterr, -EINVAL, "flag '--%s' of 'docker %s' is not supported: %s",
                                 f->name, verbs[verb], f->field);
        if (p->options->mode == DOCKER_PARSE_FLAGS || may_change(p, value))
                return 0;
        r = f->set(p, f, value, reterr);
        if (r == -EOPNOTSUPP)
                r = -EINVAL; /* of commands we do follow, only the flag is wrong */
        if (r == -EINVAL)
                (void) error_prefix(reterr, "flag '--%s' of 'docker %s'", f->name, verbs[verb]);
        return r;
}

/* "--name", "--name=value", "--name value". *index is at the word and moves over a value. */
static int long_flag(DockerParse *p, const Strv *argv, size_t *index, Error *reterr) {
        const char *word = argv->items[*index] + 2, *equals = strchr(word, '=');
        size_t size = equals ? (size_t) (equals - word) : strlen(word);
        const DockerFlag *f = docker_flag_by_name(p->command->verb, word, size);

        if (!f)
                return error_set(reterr, -EINVAL, "unknown flag '--%.*s' of 'docker %s'",
                                 (int) size, word, verbs[p->command->verb]);
        if (equals)
                return flag_set(p, f, equals + 1, reterr);
        if (f->is_bool)
                return flag_set(p, f, "true", reterr);
        if (*index + 1 >= argv->n)
                return error_set(reterr, -EINVAL, "flag '--%s' of 'docker %s' needs a value",
                                 f->name, verbs[p->command->verb]);
        return flag_set(p, f, argv->items[++*index], reterr);
}

/* "-d", "-dit", "-p80:80", "-p=80:80", "-p 80:80", "-dp 80:80". */
static int short_flags(DockerParse *p, const Strv *argv, size_t *index, Error *reterr) {
        const char *letter = argv->items[*index] + 1;

        for (; *letter; letter++) {
                const DockerFlag *f = docker_flag_by_letter(p->command->verb, *letter);
                int r;

                if (!f)
                        return error_set(reterr, -EINVAL, "unknown flag '-%c' of 'docker %s'",
                                         *letter, verbs[p->command->verb]);
                if (letter[1] == '=')
                        return flag_set(p, f, letter + 2, reterr);
                if (!f->is_bool && letter[1])
                        return flag_set(p, f, letter + 1, reterr);
                if (!f->is_bool && *index + 1 >= argv->n)
                        return error_set(reterr, -EINVAL, "flag '-%c' of 'docker %s' needs a value",
                                         *letter, verbs[p->command->verb]);
                if (!f->is_bool)
                        return flag_set(p, f, argv->items[++*index], reterr);
                r = flag_set(p, f, "true", reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * Reads flags from *index on. run and create end at the first other word (it is the image); the others
 * take flags anywhere, and collect the other words as names.
 */
static int read_flags(DockerParse *p, const Strv *argv, size_t *index, Error *reterr) {
        bool ends = p->command->verb == DOCKER_RUN || p->command->verb == DOCKER_CREATE;
        int r;

        for (; *index < argv->n; ++*index) {
                const char *word = argv->items[*index];
                bool is_flag = word[0] == '-' && word[1];

                if (may_split(p, word)) {
                        p->words_unknown = true;
                        return 0;
                }
                if (is_flag && str_eq(word, "--")) {
                        ++*index;
                        break;
                }
                if (!is_flag && ends)
                        break;
                r = !is_flag         ? strv_push(&p->command->names, word)
                    : word[1] == '-' ? long_flag(p, argv, index, reterr)
                                     : short_flags(p, argv, index, reterr);
                if (r < 0)
                        return r;
        }
        for (; !ends && *index < argv->n; ++*index) {
                r = strv_push(&p->command->names, argv->items[*index]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- words in front of the command ------------------------------------------------------------ */

/* Flags of docker itself that lead somewhere else, or say nothing here. */
static int global_flag(const DockerParseOptions *o, const Strv *argv, size_t *index,
                       Error *reterr) {
        const char *word = argv->items[*index], *value = NULL;

        if (str_eq(word, "-D") || str_eq(word, "--debug"))
                return 0;
        if (str_eq(word, "-H") || str_eq(word, "--host") || str_eq(word, "-l") ||
            str_eq(word, "--log-level")) {
                if (*index + 1 >= argv->n)
                        return error_set(reterr, -EINVAL, "flag '%s' of 'docker' needs a value",
                                         word);
                value = argv->items[++*index];
        } else if (str_after_prefix(word, "--host="))
                value = str_after_prefix(word, "--host=");
        else if (str_after_prefix(word, "-H"))
                value = str_after_prefix(word, "-H") + (word[2] == '=');
        else if (str_after_prefix(word, "--log-level="))
                return 0;
        else
                return error_set(reterr, -EOPNOTSUPP, "flag '%s' of 'docker' is not supported",
                                 word);
        if (word[1] == 'l' || str_after_prefix(word, "--log-level") ||
            o->mode == DOCKER_PARSE_FLAGS || (o->host && str_eq(value, o->host)) ||
            (!o->host && str_after_prefix(value, "unix://")))
                return 0;
        return error_set(reterr, -EOPNOTSUPP, "'%s' is another engine than '%s', where units run",
                         value, str_or(o->host, "this machine's"));
}

static int find_verb(const char *word, DockerVerb *ret, Error *reterr) {
        for (size_t i = 0; i < _DOCKER_VERB_MAX; i++)
                if (str_eq(word, verbs[i])) {
                        *ret = (DockerVerb) i;
                        return 0;
                }
        for (size_t i = 0; i < ELEMENTSOF(other_verbs); i++)
                if (str_eq(word, other_verbs[i]))
                        return error_set(reterr, -EOPNOTSUPP, "'docker %s' is not supported", word);
        return error_set(reterr, -EINVAL, "'docker %s' is not a docker command", word);
}

static int read_verb(const DockerParseOptions *o, const Strv *argv, size_t *index, DockerVerb *ret,
                     Error *reterr) {
        const char *word, *next;
        int r;

        for (*index = 1; *index < argv->n && argv->items[*index][0] == '-'; ++*index) {
                r = global_flag(o, argv, index, reterr);
                if (r < 0)
                        return r;
        }
        if (*index >= argv->n)
                return error_set(reterr, -EINVAL, "'docker' without a command");
        word = argv->items[(*index)++];
        next = *index < argv->n ? argv->items[*index] : "";
        if (str_eq(word, "container") || (str_eq(word, "image") && str_eq(next, "pull"))) {
                if (next[0] == '\0')
                        return error_set(reterr, -EINVAL, "'docker %s' without a command", word);
                ++*index;
                r = find_verb(next, ret, reterr);
                if (r >= 0 && (*ret == DOCKER_PULL) != str_eq(word, "image"))
                        r = error_set(reterr, -EINVAL, "'docker %s %s' is not a docker command",
                                      word, next);
                return r;
        }
        return find_verb(word, ret, reterr);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static int check_image(DockerParse *p, Error *reterr) {
        _cleanup_free_ char *name = NULL, *tag = NULL;

        if (p->options->mode == DOCKER_PARSE_FLAGS || may_change(p, p->command->image))
                return 0;
        return docker_value_image(p->command->image, &name, &tag, reterr);
}

static int finish_create(DockerParse *p, const Strv *argv, size_t index, Error *reterr) {
        int r;

        if (index >= argv->n) {
                if (p->words_unknown)
                        return 0;
                return error_set(reterr, -EINVAL, "'docker %s' without an image",
                                 verbs[p->command->verb]);
        }
        if (p->words_unknown)
                return 0;
        p->command->image = str_dup(argv->items[index]);
        if (!p->command->image)
                return -ENOMEM;
        r = check_image(p, reterr);
        if (r < 0)
                return r;
        return docker_create_build(p, argv->items + index + 1, argv->n - index - 1, reterr);
}

static int finish_names(DockerParse *p, Error *reterr) {
        DockerCommand *c = p->command;

        if (p->words_unknown)
                return 0;
        if (c->names.n == 0)
                return error_set(reterr, -EINVAL, "'docker %s' without %s", verbs[c->verb],
                                 c->verb == DOCKER_PULL ? "an image" : "a container");
        if (c->verb == DOCKER_START && c->attach && c->names.n > 1)
                return error_set(reterr, -EINVAL,
                                 "'docker start' cannot attach to several containers");
        if (c->verb != DOCKER_PULL)
                return 0;
        if (c->names.n > 1)
                return error_set(reterr, -EINVAL, "'docker pull' takes one image, not %zu",
                                 c->names.n);
        c->image = str_dup(c->names.items[0]);
        if (!c->image)
                return -ENOMEM;
        strv_done(&c->names);
        return check_image(p, reterr);
}

int docker_command_parse(const Strv *argv, const DockerParseOptions *options, DockerCommand **ret,
                         Error *reterr) {
        _cleanup_(docker_command_freep) DockerCommand *c = mem_new(DockerCommand);
        _cleanup_(docker_parse_done) DockerParse p = { .options = options, .command = c };
        bool creates;
        size_t index;
        int r;

        if (!c)
                return -ENOMEM;
        r = read_verb(options, argv, &index, &c->verb, reterr);
        if (r < 0)
                return r;
        creates = c->verb == DOCKER_RUN || c->verb == DOCKER_CREATE;
        if (creates)
                r = docker_create_begin(&p);
        if (r >= 0)
                r = read_flags(&p, argv, &index, reterr);
        if (r >= 0)
                r = creates ? finish_create(&p, argv, index, reterr) : finish_names(&p, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
