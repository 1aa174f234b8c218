/*
 * start and load: make the units, say what is wanted of them, wait until they are there (B3.6).
 */
#include "ctl/command.h"
#include "ctl/draft.h"
#include "ctl/wait.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* What differs between the two commands. */
typedef struct Launch {
        DesiredState desired;
        const char *word;  /* "Triggered unit NAME <word>" */
        const char *doing; /* "Error <doing> units: …" */
        WaitOptions wait;
} Launch;

/* The units whose desired state changes, or whose content was replaced where they are. */
typedef struct Changes {
        ApiUnit **set; /* what is sent */
        size_t n_set;
        WaitUnit *wait; /* those that are not global */
        size_t n_wait;
} Changes;

static void changes_done(Changes *ch) {
        for (size_t i = 0; i < ch->n_set; i++)
                api_unit_free(ch->set[i]);
        mem_free(ch->set);
        mem_free(ch->wait);
        *ch = (Changes){ 0 };
}

/* When the state on its machine changed last, before we touch it. */
static uint64_t since_of(const json_t *status) {
        const char *machine = json_string_value(json_object_get(status, "machineID"));
        json_t *states = json_object_get(status, "states");

        for (size_t i = 0; i < json_array_size(states); i++) {
                _cleanup_(unit_state_freep) UnitState *s = NULL;

                if (unit_state_from_json(json_array_get(states, i), &s, NULL) == 0 &&
                    str_eq(s->machine, machine))
                        return s->since_usec;
        }
        return 0;
}

/* Fills since_before_usec of those units that machines may know from before. */
static int look_before(Context *c, const DraftList *l, Changes *ch, Error *reterr) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        _cleanup_(json_list_done) JsonList status = { 0 };
        int r;

        for (size_t i = 0; i < l->n; i++) {
                if (!l->items[i].existing)
                        continue;
                r = strv_push(&names, l->items[i].name);
                if (r < 0)
                        return error_fill(reterr, r);
        }
        if (names.n == 0)
                return 0;
        r = fleet_get_status(c->client, &names, &status, reterr);
        if (r != 0)
                return r == FLEET_NOT_FOUND ? 0 : r;
        for (size_t i = 0, j = 0; i < ch->n_wait; i++) {
                /* Both lists have the units in the same order. */
                while (j < names.n && !str_eq(names.items[j], ch->wait[i].name))
                        j++;
                if (j == names.n)
                        j = 0; /* it is new */
                else
                        ch->wait[i].since_before_usec = since_of(status.items[j]);
        }
        return 0;
}

static int add_change(const Launch *launch, const Draft *d, Changes *ch) {
        const ApiUnit *u = draft_unit(d);
        const char *desired = desired_state_to_string(launch->desired),
                   *type = unit_file_get(u->options, "Service", "Type");
        bool set = !str_eq(u->desired_state, desired);
        ApiUnit *change;

        if (!set && !d->upload)
                return 0; /* it is what it should be already */
        if (!draft_is_global(u))
                ch->wait[ch->n_wait++] = (WaitUnit){ .name = d->name,
                                                     .oneshot = str_eq(type, "oneshot") };
        if (!set)
                return 0;

        change = api_unit_new(d->name);
        if (!change)
                return -ENOMEM;
        ch->set[ch->n_set++] = change;
        return str_replace(&change->desired_state, desired);
}

static int find_changes(const Launch *launch, const DraftList *l, Changes *ch) {
        int r = 0;

        ch->set = mem_new_array(ApiUnit *, l->n);
        ch->wait = mem_new_array(WaitUnit, l->n);
        if (!ch->set || !ch->wait)
                return -ENOMEM;
        for (size_t i = 0; i < l->n && r == 0; i++)
                r = add_change(launch, l->items + i, ch);
        return r;
}

static int apply(Context *c, const Launch *launch, const DraftList *l, Changes *ch) {
        _cleanup_error_ Error e = ERROR_INIT;
        size_t failed;
        int r;

        r = find_changes(launch, l, ch);
        if (r == 0 && launch->wait.then_active && wait_wanted(&c->options))
                r = look_before(c, l, ch, &e);
        if (r == 0 && ch->n_set > 0)
                r = fleet_put_units(c->client, ch->set, ch->n_set, &failed, &e);
        if (r < 0) {
                (void) error_fill(&e, r);
                err_line(&c->output, "Error %s units: %s", launch->doing, error_text(&e));
                return 1;
        }
        return 0;
}

static void tell_triggered(Context *c, const Launch *launch, const DraftList *l,
                           const Changes *ch) {
        for (size_t i = 0, j = 0; i < l->n && j < ch->n_set; i++) {
                const Draft *d = l->items + i;

                if (!str_eq(d->name, ch->set[j]->name))
                        continue;
                j++;
                if (draft_is_global(draft_unit(d)))
                        out_line(&c->output, "Triggered global unit %s %s", d->name, launch->word);
        }
        for (size_t i = 0; i < ch->n_wait && !wait_wanted(&c->options); i++)
                out_line(&c->output, "Triggered unit %s %s", ch->wait[i].name, launch->word);
        out_flush(&c->output);
}

static int wait_until_there(Context *c, const Launch *launch, const Changes *ch) {
        _cleanup_(wait_result_done) WaitResult result = { 0 };

        if (!wait_wanted(&c->options))
                return 0;
        if (wait_for_units(c, &launch->wait, ch->wait, ch->n_wait, &result) == 0)
                return 0;
        /* Why a unit failed has been said; fleet's second line is about waits that took too long. */
        if (result.error.code != -ETIMEDOUT)
                return 1;
        err_line(&c->output,
                 result.started ? "Error waiting for systemd unit states, err: %s"
                                : "Error waiting for unit states, exit status: %s",
                 error_text(&result.error));
        return 1;
}

static int run_launch(Context *c, Launch launch) {
        _cleanup_(draft_list_done) DraftList drafts = { 0 };
        _cleanup_(changes_done) Changes changes = { 0 };
        int r;

        if (c->arguments.n == 0) {
                err_line(&c->output, "No units given");
                return 0;
        }
        r = context_connect(c);
        if (r == 0)
                r = draft_create(c, launch.desired, &drafts);
        if (r == 0)
                r = apply(c, &launch, &drafts, &changes);
        if (r != 0)
                return r;
        tell_triggered(c, &launch, &drafts, &changes);
        launch.wait.attempts = c->options.block_attempts;
        return wait_until_there(c, &launch, &changes);
}

int cmd_start(Context *c) {
        return run_launch(c, (Launch){ .desired = DESIRED_LAUNCHED,
                                       .word = "start",
                                       .doing = "starting",
                                       .wait = { .goal = WATCH_LAUNCHED, .then_active = true } });
}

int cmd_load(Context *c) {
        return run_launch(c, (Launch){ .desired = DESIRED_LOADED,
                                       .word = "load",
                                       .doing = "loading",
                                       .wait = { .goal = WATCH_LOADED } });
}
