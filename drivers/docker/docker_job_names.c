/* Commands that name containers: start, stop, kill, rm; one call a name, one after the other. */
#include "drivers/docker/docker_job_internal.h"
#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"

/* A supervised start needs to know which container that is. */
static void identified(DockerJob *j, const DockerReply *reply) {
        _cleanup_json_ json_t *body = NULL;
        const char *id;

        j->call = docker_call_free(j->call);
        if (docker_job_is_good(reply))
                body = json_loadb(reply->body, reply->size, 0, NULL);
        id = json_string_value(json_object_get(body, "Id"));
        if (!id)
                docker_job_fail_reply(j, DOCKER_EXIT_FAILURE, reply);
        else if (str_replace(&j->id, id) < 0)
                docker_job_fail_errno(j, -ENOMEM);
        else if (j->supervise)
                docker_job_finish(j);
        else
                docker_job_wait_for_end(j);
}
DOCKER_JOB_REPLY(identified);

static void identify(DockerJob *j) {
        _cleanup_free_ char *path = docker_job_container_path(j->command->names.items[0], "/json");

        docker_job_ask(j,
                       (DockerRequest){ .method = "GET",
                                        .lane = DOCKER_LANE_FREE,
                                        .reply_fn = identified_reply },
                       path);
}

/* `docker rm --force` is content with what is not there, in the CLIs of today. */
static bool is_forgiven(const DockerJob *j, const DockerReply *reply) {
        return j->command->verb == DOCKER_RM && j->command->force && reply->status == 404;
}

static void named(DockerJob *j, const DockerReply *reply) {
        const DockerCommand *c = j->command;
        _cleanup_free_ char *text = NULL;

        j->call = docker_call_free(j->call);
        if (!docker_job_is_good(reply) && !is_forgiven(j, reply)) {
                text = docker_reply_message(reply);
                j->status = DOCKER_EXIT_FAILURE;
                docker_job_say(j, str_or(text, "out of memory"));
        }
        if (j->orphans) {
                if (j->status == 0)
                        docker_job_kill_container(j);
                else
                        docker_job_finish(j);
                return;
        }
        if (c->verb == DOCKER_START && j->status == 0 && c->names.n == 1 &&
            (j->supervise || c->attach)) {
                identify(j);
                return;
        }
        j->index++;
        docker_job_next_name(j);
}
DOCKER_JOB_REPLY(named);

static DockerRequest named_request(const DockerCommand *c, char **ret_rest) {
        DockerRequest request = { .method = c->verb == DOCKER_RM ? "DELETE" : "POST",
                                  .lane = c->verb == DOCKER_STOP ? DOCKER_LANE_STOP
                                                                 : DOCKER_LANE_URGENT,
                                  .reply_fn = named_reply };
        _cleanup_free_ char *signal = NULL;

        if (c->verb == DOCKER_START)
                *ret_rest = str_dup("/start");
        else if (c->verb == DOCKER_STOP && c->has_stop_timeout)
                *ret_rest = str_printf("/stop?t=%d", c->stop_timeout);
        else if (c->verb == DOCKER_STOP)
                *ret_rest = str_dup("/stop");
        else if (c->verb == DOCKER_KILL) {
                signal = http_url_escape(str_or(c->signal, "KILL"));
                *ret_rest = signal ? str_printf("/kill?signal=%s", signal) : NULL;
        } else
                *ret_rest = str_printf("?v=%d&force=%d&link=%d", c->volumes, c->force, c->link);
        return request;
}

void docker_job_next_name(DockerJob *j) {
        _cleanup_free_ char *rest = NULL, *path = NULL;
        DockerRequest request;

        if (j->index >= j->command->names.n) {
                docker_job_finish(j);
                return;
        }
        request = named_request(j->command, &rest);
        path = rest ? docker_job_container_path(j->command->names.items[j->index], rest) : NULL;
        docker_job_ask(j, request, path);
}
