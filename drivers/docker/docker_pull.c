#include "drivers/docker/docker_pull.h"

#include "drivers/docker/docker_lines.h"
#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"

#define PROGRESS_LINE_MAX_BYTES (256 * KIB)

struct DockerPulling {
        DockerPullOptions options;
        char *image;
        DockerCall *call;
        DockerLines lines;
        char *failure; /* of the pull, while the image is looked for here */
};

bool docker_pull_is_unreachable(const char *message) {
        static const char *const no[] = { "unauthorized", "denied", "not found", "manifest unknown",
                                          "no basic auth" };
        static const char *const unreachable[] = {
                "dial tcp",
                "no such host",
                "connection refused",
                "i/o timeout",
                "TLS handshake",
                "Client.Timeout",
                "network is unreachable",
                "no route to host",
                "deadline exceeded",
                "server misbehaving",
                "request canceled",
                "connection reset",
                "name resolution",
                "proxyconnect",
                "unexpected EOF",
                ": EOF",
                "Service Unavailable",
                "Bad Gateway",
        };

        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (strstr(message, no[i]))
                        return false;
        for (size_t i = 0; i < ELEMENTSOF(unreachable); i++)
                if (strstr(message, unreachable[i]))
                        return true;
        return false;
}

static void finish(DockerPulling *p, const char *failure, const char *notice) {
        DockerPullFn fn = p->options.done_fn;

        fn(failure, notice, p->options.userdata);
}

static void local_reply(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        DockerPulling *p = userdata;
        _cleanup_json_ json_t *image = NULL;
        _cleanup_free_ char *notice = NULL;
        const char *id;

        p->call = docker_call_free(p->call);
        if (reply->r >= 0 && reply->status == 200)
                image = json_loadb(reply->body, reply->size, 0, NULL);
        id = json_string_value(json_object_get(image, "Id"));
        if (!id) {
                finish(p, p->failure, NULL);
                return;
        }
        notice = str_printf("registry unreachable, using the local image %s (%s)", id, p->failure);
        finish(p, NULL, str_or(notice, "registry unreachable, using the local image"));
}

/* Is it here? */
static int look_here(DockerPulling *p) {
        _cleanup_free_ char *name = http_url_escape(p->image), *path = NULL;
        DockerRequest request = {
                .method = "GET", .lane = DOCKER_LANE_FREE, .reply_fn = local_reply, .userdata = p
        };

        path = name ? str_printf("/images/%s/json", name) : NULL;
        request.path = path;
        return path ? docker_engine_call(p->options.engine, &request, &p->call) : -ENOMEM;
}

static void on_line(const char *line, size_t size, void *userdata) {
        DockerPulling *p = userdata;
        _cleanup_json_ json_t *j = json_loadb(line, size, 0, NULL);
        const char *error = json_string_value(json_object_get(j, "error"));

        if (!error)
                error = json_string_value(json_object_get(j, "message"));
        if (error)
                (void) str_replace(&p->failure, error);
}

static int pull_data(_unused_ DockerCall *call, _unused_ unsigned status, const char *data,
                     size_t size, void *userdata) {
        DockerPulling *p = userdata;

        return docker_lines_push(&p->lines, data, size, on_line, p);
}

static void pull_reply(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        DockerPulling *p = userdata;

        p->call = docker_call_free(p->call);
        if (p->lines.rest.size > 0)
                on_line(p->lines.rest.data, p->lines.rest.size, p);
        if (!p->failure && reply->r < 0)
                p->failure = str_dup(error_text(reply->error));
        if (!p->failure && reply->status != 200)
                p->failure = docker_reply_message(reply);
        if (p->failure && docker_pull_is_unreachable(p->failure) && look_here(p) >= 0)
                return;
        finish(p, p->failure, NULL);
}

static int pull_path(const DockerPullOptions *o, char **ret) {
        _cleanup_free_ char *name = NULL, *tag = NULL, *from = NULL, *escaped = NULL;
        _cleanup_free_ char *platform = NULL;
        int r;

        r = docker_value_image(o->image, &name, &tag, NULL);
        if (r < 0)
                return r;
        from = http_url_escape(name);
        escaped = http_url_escape(tag);
        platform = http_url_escape(str_or(o->platform, ""));
        if (!from || !escaped || !platform)
                return -ENOMEM;
        *ret = str_printf("/images/create?fromImage=%s%s%s%s%s", from,
                          o->all_tags ? "" : "&tag=", o->all_tags ? "" : escaped,
                          platform[0] ? "&platform=" : "", platform);
        return *ret ? 0 : -ENOMEM;
}

int docker_pull_new(const DockerPullOptions *options, DockerPulling **ret) {
        _cleanup_free_ char *path = NULL;
        DockerPulling *p;
        DockerRequest request = { .method = "POST",
                                  .lane = DOCKER_LANE_PULL,
                                  .data_fn = pull_data,
                                  .reply_fn = pull_reply };
        int r;

        r = pull_path(options, &path);
        if (r < 0)
                return r;
        p = mem_new(DockerPulling);
        if (!p)
                return -ENOMEM;
        p->options = *options;
        p->lines.limit = PROGRESS_LINE_MAX_BYTES;
        p->image = str_dup(options->image);
        request.path = path;
        request.userdata = p;
        r = p->image ? docker_engine_call(options->engine, &request, &p->call) : -ENOMEM;
        if (r < 0) {
                (void) docker_pull_free(p);
                return r;
        }
        *ret = p;
        return 0;
}

DockerPulling *docker_pull_free(DockerPulling *p) {
        if (!p)
                return NULL;
        docker_call_free(p->call);
        docker_lines_done(&p->lines);
        mem_free(p->image);
        mem_free(p->failure);
        return mem_free(p);
}
