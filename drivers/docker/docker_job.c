#include "drivers/docker/docker_job.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "drivers/docker/docker_job_internal.h"
#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_client.h"

/* A container's own mark of the attempt to make it: it tells ours from another's of the same name. */
#define LABEL_ATTEMPT "flotilla.attempt"

bool docker_job_is_good(const DockerReply *reply) {
        return reply->r >= 0 &&
               ((reply->status >= 200 && reply->status < 300) || reply->status == 304);
}

/* ---- ending ------------------------------------------------------------------------------------- */

static void on_ending(void *userdata) {
        DockerJob *j = userdata;
        DockerJobEnd end = {
                .status = j->status, .message = j->message, .notice = j->notice, .id = j->id
        };

        if (j->orphans)
                (void) docker_job_free(j);
        else
                j->done_fn(j, &end, j->userdata);
}

void docker_job_finish(DockerJob *j) {
        /* Switching on a source that exists cannot fail. */
        (void) event_defer_trigger(j->ending);
}

void docker_job_say(DockerJob *j, const char *text) {
        char *whole = str_printf("docker %s: %s", docker_verb_to_string(j->command->verb), text);

        mem_free(j->message);
        j->message = whole;
}

static void fail(DockerJob *j, int status, const char *text) {
        j->status = status;
        docker_job_say(j, text);
        docker_job_finish(j);
}

static int engine_status(const DockerJob *j) {
        return j->command->verb == DOCKER_RUN ? DOCKER_EXIT_ENGINE : DOCKER_EXIT_FAILURE;
}

void docker_job_fail_errno(DockerJob *j, int r) {
        fail(j, engine_status(j), strerror(-r));
}

void docker_job_fail_reply(DockerJob *j, int status, const DockerReply *reply) {
        _cleanup_free_ char *text = docker_reply_message(reply);

        fail(j, status, str_or(text, "out of memory"));
}

/* ---- calls -------------------------------------------------------------------------------------- */

void docker_job_ask(DockerJob *j, DockerRequest request, const char *path) {
        int r = -ENOMEM;

        request.path = path;
        request.userdata = j;
        if (path)
                r = docker_engine_call(j->engine, &request, &j->call);
        if (r < 0)
                docker_job_fail_errno(j, r);
}

/* "/containers/NAME<rest>"; the caller owns it. */
char *docker_job_container_path(const char *name, const char *rest) {
        _cleanup_free_ char *escaped = http_url_escape(name);

        return escaped ? str_printf("/containers/%s%s", escaped, rest) : NULL;
}

/* ---- taking the container away again ------------------------------------------------------------ */

static void removed(DockerJob *j, _unused_ const DockerReply *reply) {
        j->call = docker_call_free(j->call);
        docker_job_finish(j);
}
DOCKER_JOB_REPLY(removed);

static void remove_container(DockerJob *j, bool force) {
        _cleanup_free_ char *path = docker_job_container_path(j->id,
                                                              force ? "?v=1&force=1" : "?v=1");

        docker_job_ask(j,
                       (DockerRequest){ .method = "DELETE",
                                        .lane = DOCKER_LANE_WORK,
                                        .reply_fn = removed_reply },
                       path);
}

void docker_job_kill_container(DockerJob *j) {
        _cleanup_free_ char *path = docker_job_container_path(j->command->names.items[0], "/kill");

        docker_job_ask(j,
                       (DockerRequest){ .method = "POST",
                                        .lane = DOCKER_LANE_FREE,
                                        .reply_fn = removed_reply },
                       path);
}

/* ---- waiting for its end (commands that are not the main one) ------------------------------------ */

static void waited(DockerJob *j, const DockerReply *reply) {
        _cleanup_json_ json_t *body = NULL;

        j->call = docker_call_free(j->call);
        j->waits = false;
        if (docker_job_is_good(reply))
                body = json_loadb(reply->body, reply->size, 0, NULL);
        if (!body) {
                docker_job_fail_reply(j, engine_status(j), reply);
                return;
        }
        j->status = (int) json_integer_value(json_object_get(body, "StatusCode"));
        if (j->command->remove)
                remove_container(j, false);
        else
                docker_job_finish(j);
}
DOCKER_JOB_REPLY(waited);

void docker_job_wait_for_end(DockerJob *j) {
        _cleanup_free_ char *path = docker_job_container_path(j->id, "/wait?condition=not-running");

        j->waits = true;
        docker_job_ask(j,
                       (DockerRequest){ .method = "POST",
                                        .lane = DOCKER_LANE_FREE,
                                        .reply_fn = waited_reply },
                       path);
}

/* ---- start --------------------------------------------------------------------------------------- */

/* What the CLI makes of the engine's words. */
static int start_status(const char *message) {
        if (strstr(message, "executable file not found") ||
            strstr(message, "no such file or directory") ||
            strstr(message, "system cannot find the file specified"))
                return DOCKER_EXIT_NOT_FOUND;
        if (strstr(message, "permission denied") || strstr(message, "not a directory") ||
            strstr(message, "is a directory"))
                return DOCKER_EXIT_NOT_EXECUTABLE;
        return DOCKER_EXIT_ENGINE;
}

static void clear_away(DockerJob *j, const char *id);

/*
 * An engine that died under a start may know nothing of the process that its containerd has: then this
 * container can never be started ("id already in use"), but another one can.
 */
static bool can_be_made_anew(const DockerJob *j, bool repeated, const DockerReply *reply) {
        return repeated && reply->r >= 0 && j->command->verb == DOCKER_RUN && !j->orphans &&
               !j->cleared && !j->command->cidfile;
}

static void started(DockerJob *j, const DockerReply *reply) {
        bool repeated = docker_call_was_repeated(j->call);
        _cleanup_free_ char *text = NULL;

        j->call = docker_call_free(j->call);
        if (!docker_job_is_good(reply) && can_be_made_anew(j, repeated, reply))
                clear_away(j, j->id);
        else if (!docker_job_is_good(reply)) {
                text = docker_reply_message(reply);
                j->status = start_status(str_or(text, ""));
                docker_job_say(j, str_or(text, "out of memory"));
                if (j->command->remove)
                        remove_container(j, false);
                else
                        docker_job_finish(j);
        } else if (j->orphans)
                remove_container(j, true);
        else if (j->supervise || j->command->detach)
                docker_job_finish(j);
        else
                docker_job_wait_for_end(j);
}
DOCKER_JOB_REPLY(started);

static void start(DockerJob *j) {
        _cleanup_free_ char *path = docker_job_container_path(j->id, "/start");

        docker_job_ask(j,
                       (DockerRequest){ .method = "POST",
                                        .lane = DOCKER_LANE_URGENT,
                                        .reply_fn = started_reply },
                       path);
}

/* ---- create -------------------------------------------------------------------------------------- */

static int write_cidfile(DockerJob *j, Error *reterr) {
        const char *path = j->command->cidfile;
        size_t size = strlen(j->id);
        _cleanup_close_ int fd = -EBADF;

        if (!path)
                return 0;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0)
                return error_set(reterr, -errno, "cannot create the container ID file '%s': %s",
                                 path, strerror(errno));
        if (write(fd, j->id, size) != (ssize_t) size)
                return error_set(reterr, -EIO, "cannot write the container ID file '%s'", path);
        return 0;
}

static void have_container(DockerJob *j) {
        _cleanup_error_ Error error = ERROR_INIT;

        j->status = 0;
        j->message = mem_free(j->message);
        if (j->orphans)
                remove_container(j, true);
        else if (write_cidfile(j, &error) < 0) {
                j->status = engine_status(j);
                docker_job_say(j, error_text(&error));
                remove_container(j, true);
        } else if (j->command->verb == DOCKER_RUN)
                start(j);
        else
                docker_job_finish(j);
}

/* Left by a daemon of ours that died between create and start: in nobody's way but ours. */
static bool is_left_over(const DockerJob *j, const json_t *container) {
        const json_t *theirs = json_object_get(json_object_get(container, "Config"), "Labels");
        const json_t *ours = json_object_get(j->command->body, "Labels");
        const json_t *state = json_object_get(json_object_get(container, "State"), "Status");

        return json_object_get(ours, "flotilla.unit") &&
               json_equal(json_object_get(ours, "flotilla.unit"),
                          json_object_get(theirs, "flotilla.unit")) &&
               json_equal(json_object_get(ours, "flotilla.machine"),
                          json_object_get(theirs, "flotilla.machine")) &&
               str_eq(json_string_value(state), "created");
}

static void create(DockerJob *j);

static void cleared(DockerJob *j, _unused_ const DockerReply *reply) {
        j->call = docker_call_free(j->call);
        create(j);
}
DOCKER_JOB_REPLY(cleared);

static void clear_away(DockerJob *j, const char *id) {
        _cleanup_free_ char *path = docker_job_container_path(id, "?v=1&force=1");

        j->cleared = true;
        docker_job_ask(j,
                       (DockerRequest){ .method = "DELETE",
                                        .lane = DOCKER_LANE_URGENT,
                                        .reply_fn = cleared_reply },
                       path);
}

/* Whose is the container that has our name? Ours, if the engine went away under our create. */
static void resolved(DockerJob *j, const DockerReply *reply) {
        _cleanup_json_ json_t *body = NULL;
        const json_t *labels;
        const char *id, *attempt;

        j->call = docker_call_free(j->call);
        if (docker_job_is_good(reply))
                body = json_loadb(reply->body, reply->size, 0, NULL);
        labels = json_object_get(json_object_get(body, "Config"), "Labels");
        attempt = json_string_value(json_object_get(labels, LABEL_ATTEMPT));
        id = json_string_value(json_object_get(body, "Id"));
        if (id && str_eq(attempt, j->attempt)) {
                if (str_replace(&j->id, id) < 0)
                        docker_job_fail_errno(j, -ENOMEM);
                else
                        have_container(j);
        } else if (id && !j->cleared && !j->orphans && is_left_over(j, body))
                clear_away(j, id);
        else
                docker_job_finish(j); /* with the engine's words */
}
DOCKER_JOB_REPLY(resolved);

static void resolve(DockerJob *j) {
        _cleanup_free_ char *path = docker_job_container_path(j->command->name, "/json");

        docker_job_ask(j,
                       (DockerRequest){ .method = "GET",
                                        .lane = DOCKER_LANE_FREE,
                                        .reply_fn = resolved_reply },
                       path);
}

static void pull(DockerJob *j);

static bool is_missing_image(const DockerJob *j, const DockerReply *reply, const char *text) {
        return reply->status == 404 && !j->pulled && j->command->pull != DOCKER_PULL_NEVER &&
               strstr(text, "No such image");
}

static void created(DockerJob *j, const DockerReply *reply) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        const char *id;

        j->call = docker_call_free(j->call);
        if (docker_job_is_good(reply)) {
                body = json_loadb(reply->body, reply->size, 0, NULL);
                id = json_string_value(json_object_get(body, "Id"));
                if (!id)
                        fail(j, engine_status(j), "the engine named no container");
                else if (str_replace(&j->id, id) < 0)
                        docker_job_fail_errno(j, -ENOMEM);
                else
                        have_container(j);
                return;
        }
        text = docker_reply_message(reply);
        if (j->orphans)
                docker_job_finish(j);
        else if (is_missing_image(j, reply, str_or(text, "")))
                pull(j);
        else if (reply->status == 409 && j->command->name) {
                j->status = engine_status(j);
                docker_job_say(j, str_or(text, "out of memory"));
                resolve(j);
        } else
                fail(j, engine_status(j), str_or(text, "out of memory"));
}
DOCKER_JOB_REPLY(created);

static void create(DockerJob *j) {
        const DockerCommand *c = j->command;
        _cleanup_free_ char *name = http_url_escape(str_or(c->name, "")), *path = NULL;
        _cleanup_free_ char *platform = http_url_escape(str_or(c->platform, ""));

        if (name && platform)
                path = str_printf("/containers/create%s%s%s%s", name[0] ? "?name=" : "", name,
                                  platform[0] ? (name[0] ? "&platform=" : "?platform=") : "",
                                  platform);
        docker_job_ask(j,
                       (DockerRequest){ .method = "POST",
                                        .body = c->body,
                                        .lane = DOCKER_LANE_WORK,
                                        .reply_fn = created_reply },
                       path);
}

static void pull_done(const char *failure, const char *notice, void *userdata) {
        DockerJob *j = userdata;
        _cleanup_free_ char *why = failure ? str_dup(failure) : NULL;

        if (notice)
                (void) str_replace(&j->notice, notice);
        j->pull = docker_pull_free(j->pull);
        j->pulled = true;
        if (failure)
                fail(j, engine_status(j), str_or(why, "out of memory"));
        else if (j->command->verb == DOCKER_PULL)
                docker_job_finish(j);
        else
                create(j);
}

static void pull(DockerJob *j) {
        DockerPullOptions o = { .engine = j->engine,
                                .image = j->command->image,
                                .platform = j->command->platform,
                                .all_tags = j->command->all_tags,
                                .done_fn = pull_done,
                                .userdata = j };
        int r;

        r = docker_pull_new(&o, &j->pull);
        if (r < 0)
                docker_job_fail_errno(j, r);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int set_labels(DockerJob *j, const json_t *labels) {
        json_t *to = docker_json_object(j->command->body, "Labels");
        const char *key;
        const json_t *value;

        j->attempt = str_printf("%" PRIx64 "-%" PRIx64, alloc_count(), (uint64_t) (uintptr_t) j);
        if (!to || !j->attempt || docker_json_set(to, LABEL_ATTEMPT, json_string(j->attempt)) < 0)
                return -ENOMEM;
        for (void *i = json_object_iter((json_t *) (uintptr_t) labels); i;
             i = json_object_iter_next((json_t *) (uintptr_t) labels, i)) {
                key = json_object_iter_key(i);
                value = json_object_iter_value(i);
                if (docker_json_set(to, key, json_string(json_string_value(value))) < 0)
                        return -ENOMEM;
        }
        /* Nobody is there to take it away when it ends: the engine does. */
        if (j->command->remove && j->command->detach && !j->supervise)
                return docker_json_set(json_object_get(j->command->body, "HostConfig"),
                                       "AutoRemove", json_true());
        return 0;
}

/* An orphan that still has a container of that name, or is about to. */
static DockerJob *find_rival(const DockerJob *j, ListLink *orphans) {
        if (!orphans || !j->command->body || !j->command->name)
                return NULL;
        for (ListLink *l = orphans->next; l != orphans; l = l->next) {
                DockerJob *o = CONTAINER_OF(l, DockerJob, link);

                if (!o->waiter && str_eq(o->command->name, j->command->name))
                        return o;
        }
        return NULL;
}

static void begin(DockerJob *j) {
        switch (j->command->verb) {
        case DOCKER_PULL:
                pull(j);
                break;
        case DOCKER_RUN:
        case DOCKER_CREATE:
                if (j->command->cidfile && access(j->command->cidfile, F_OK) == 0)
                        fail(j, engine_status(j), "the container ID file is there already");
                else if (j->command->pull == DOCKER_PULL_ALWAYS)
                        pull(j);
                else
                        create(j);
                break;
        case DOCKER_START:
        case DOCKER_STOP:
        case DOCKER_KILL:
        case DOCKER_RM:
        case _DOCKER_VERB_MAX:
        default:
                docker_job_next_name(j);
        }
}

int docker_job_new(const DockerJobOptions *options, DockerJob **ret) {
        DockerJob *j = mem_new(DockerJob);
        int r;

        if (!j)
                return -ENOMEM;
        j->engine = options->engine;
        j->supervise = options->supervise;
        j->done_fn = options->done_fn;
        j->userdata = options->userdata;
        j->command = options->command;
        r = event_defer_new(options->event, "docker-job-end", on_ending, j, &j->ending);
        if (r >= 0 && j->command->body)
                r = set_labels(j, options->labels);
        if (r < 0) {
                j->command = NULL;
                (void) docker_job_free(j);
                return r;
        }
        j->waits_on = find_rival(j, options->orphans);
        if (j->waits_on)
                j->waits_on->waiter = j;
        else
                begin(j);
        *ret = j;
        return 0;
}

DockerJob *docker_job_free(DockerJob *j) {
        if (!j)
                return NULL;
        list_remove(&j->link);
        if (j->waits_on)
                j->waits_on->waiter = NULL;
        if (j->waiter) {
                j->waiter->waits_on = NULL;
                begin(TAKE_PTR(j->waiter));
        }
        event_drop(j->ending);
        docker_call_free(j->call);
        docker_call_free(j->signalling);
        docker_pull_free(j->pull);
        (void) docker_command_free(j->command);
        mem_free(j->attempt);
        mem_free(j->id);
        mem_free(j->message);
        mem_free(j->notice);
        return mem_free(j);
}

static void signalled(_unused_ DockerCall *call, _unused_ const DockerReply *reply,
                      void *userdata) {
        DockerJob *j = userdata;

        j->signalling = docker_call_free(j->signalling);
}

bool docker_job_kill(DockerJob *j, int signal_number) {
        _cleanup_free_ char *rest = NULL, *path = NULL;
        DockerRequest request = {
                .method = "POST", .lane = DOCKER_LANE_FREE, .reply_fn = signalled, .userdata = j
        };

        if (!j->waits)
                return false;
        rest = str_printf("/kill?signal=%d", signal_number);
        path = rest ? docker_job_container_path(j->id, rest) : NULL;
        request.path = path;
        j->signalling = docker_call_free(j->signalling);
        return path && docker_engine_call(j->engine, &request, &j->signalling) >= 0;
}

/*
 * Only what makes or starts a container must be seen through: a call that is on its way is waited for, and
 * what it leads to is undone.
 */
void docker_job_leave(DockerJob *j, ListLink *orphans) {
        bool makes = j->command->verb == DOCKER_RUN || j->command->verb == DOCKER_CREATE;
        bool starts = j->command->verb == DOCKER_START && j->supervise;
        bool sent = j->call && docker_call_is_sent(j->call);

        if (!(makes && (sent || j->id)) && !(starts && (sent || j->id))) {
                (void) docker_job_free(j);
                return;
        }
        j->orphans = orphans;
        list_append(orphans, &j->link);
        if (sent)
                return;
        (void) sd_event_source_set_enabled(j->ending, SD_EVENT_OFF);
        j->call = docker_call_free(j->call);
        if (makes)
                remove_container(j, true);
        else
                docker_job_kill_container(j);
}

void docker_jobs_free(ListLink *orphans) {
        LIST_FOREACH (DockerJob, j, orphans, link)
                (void) docker_job_free(j);
}
