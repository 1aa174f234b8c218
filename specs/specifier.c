#include "specs/specifier.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/unit_name.h"

/* What specifiers are expanded for. */
typedef struct Context {
        UnitName name;
        const SpecifierHost *host;
        Error *reterr;
} Context;

/* systemd knows these too; a unit that relies on one must not get the letter instead. */
static const char not_ours[] = "ABdEfgGMoqrRTVwWyY";

static const struct HostFact {
        char specifier;
        size_t offset;
        const char *what;
} host_facts[] = {
        { 'H', offsetof(SpecifierHost, hostname), "the host name" },
        { 'm', offsetof(SpecifierHost, machine_id), "the machine ID" },
        { 'b', offsetof(SpecifierHost, boot_id), "the boot ID" },
        { 'v', offsetof(SpecifierHost, kernel_release), "the kernel release" },
        { 'a', offsetof(SpecifierHost, architecture), "the architecture" },
        { 'u', offsetof(SpecifierHost, user), "the user" },
        { 'U', offsetof(SpecifierHost, user_id), "the user ID" },
        { 'h', offsetof(SpecifierHost, home), "the home directory" },
        { 's', offsetof(SpecifierHost, shell), "the shell" },
        { 't', offsetof(SpecifierHost, runtime_directory), "the runtime directory" },
        { 'S', offsetof(SpecifierHost, state_directory), "the state directory" },
        { 'C', offsetof(SpecifierHost, cache_directory), "the cache directory" },
        { 'L', offsetof(SpecifierHost, log_directory), "the log directory" },
        { 'l', offsetof(SpecifierHost, hostname), "the host name" },
};

static void context_done(Context *c) {
        unit_name_done(&c->name);
}

static int append_unescaped(const Context *c, char specifier, const char *s, Buf *b) {
        _cleanup_free_ char *plain = NULL;
        int r;

        r = unit_name_unescape(s, &plain);
        if (r == -EINVAL)
                return error_set(c->reterr, r, "specifier '%%%c': '%s' is not properly escaped",
                                 specifier, s);
        if (r < 0)
                return r;

        return buf_append_str(b, plain);
}

static int append_host_fact(const Context *c, const struct HostFact *fact, Buf *b) {
        const char *value = NULL;

        if (c->host)
                value = *(const char *const *) (const void *) ((const char *) c->host +
                                                               fact->offset);
        if (!value)
                return error_set(c->reterr, -EINVAL, "specifier '%%%c': %s is not known",
                                 fact->specifier, fact->what);

        return buf_append(b, value, fact->specifier == 'l' ? strcspn(value, ".") : strlen(value));
}

static int append_other(const Context *c, char specifier, Buf *b) {
        for (size_t i = 0; i < ELEMENTSOF(host_facts); i++)
                if (host_facts[i].specifier == specifier)
                        return append_host_fact(c, &host_facts[i], b);

        if (strchr(not_ours, specifier))
                return error_set(c->reterr, -EINVAL,
                                 "specifier '%%%c' is not supported (a percent sign is '%%%%')",
                                 specifier);

        return buf_printf(b, "%%%c", specifier);
}

/* The part of the prefix behind its last dash. */
static const char *last_component(const char *prefix) {
        const char *dash = strrchr(prefix, '-');

        return dash ? dash + 1 : prefix;
}

static int append_specifier(const Context *c, char specifier, Buf *b) {
        const UnitName *n = &c->name;

        switch (specifier) {
        case '%':
                return buf_append_char(b, '%');
        case 'n':
                return buf_append_str(b, n->full);
        case 'N':
                return buf_append_str(b, n->name);
        case 'p':
                return buf_append_str(b, n->prefix);
        case 'P':
                return append_unescaped(c, specifier, n->prefix, b);
        case 'i':
                return buf_append_str(b, n->instance ? n->instance : "");
        case 'I':
                return append_unescaped(c, specifier, n->instance ? n->instance : "", b);
        case 'j':
                return buf_append_str(b, last_component(n->prefix));
        case 'J':
                return append_unescaped(c, specifier, last_component(n->prefix), b);
        default:
                return append_other(c, specifier, b);
        }
}

static int expand(const Context *c, const char *s, Buf *b) {
        int r;

        for (;;) {
                size_t n = strcspn(s, "%");

                r = buf_append(b, s, n);
                s += n;
                if (r < 0 || *s == '\0')
                        return r;
                if (s[1] == '\0')
                        return buf_append_char(b, '%');

                r = append_specifier(c, s[1], b);
                if (r < 0)
                        return r;
                s += 2;
        }
}

int specifier_expand(const char *s, const char *unit_name, const SpecifierHost *host, char **ret,
                     Error *reterr) {
        _cleanup_(context_done) Context c = { .host = host, .reterr = reterr };
        _cleanup_(buf_done) Buf b = { .limit = SPECIFIER_EXPANDED_MAX };
        char *expanded;
        int r;

        r = unit_name_parse(unit_name, &c.name);
        if (r < 0)
                return r;

        r = expand(&c, s, &b);
        if (r == -EFBIG)
                return error_set(reterr, r,
                                 "too long once its specifiers are expanded (max %zu bytes)",
                                 SPECIFIER_EXPANDED_MAX);
        if (r < 0)
                return r;

        expanded = buf_steal(&b);
        if (!expanded)
                return -ENOMEM;

        *ret = expanded;
        return 0;
}
