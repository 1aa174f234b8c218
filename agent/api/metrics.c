/* GET /metrics: Prometheus' text form, with fleet's names (FLEET.md B4) and a few of ours. */
#include "agent/api/handlers.h"

#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"

typedef struct Sample {
        const char *name; /* without "fleet_" */
        const char *type; /* NULL = one more sample of the metric before */
        const char *help;
        const char *label; /* value of `type`, or NULL */
        uint64_t value;
} Sample;

static int append_sample(Buf *b, const Sample *s) {
        int r = 0;

        if (s->type)
                r = buf_printf(b, "# HELP fleet_%s %s\n# TYPE fleet_%s %s\n", s->name, s->help,
                               s->name, s->type);
        if (r < 0)
                return r;
        if (s->label)
                return buf_printf(b, "fleet_%s{type=\"%s\"} %" PRIu64 "\n", s->name, s->label,
                                  s->value);
        return buf_printf(b, "fleet_%s %" PRIu64 "\n", s->name, s->value);
}

static int append_samples(Buf *b, const Sample *samples, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = append_sample(b, &samples[i]);
        return r;
}

static int append_engine(Buf *b, const Engine *engine) {
        EngineMetrics m = { 0 };

        if (engine)
                engine_metrics(engine, &m);
        const Sample samples[] = {
                { "engine_leader_start_time", "gauge",
                  "Start time of the leadership of this engine since epoch in seconds.", NULL,
                  m.leader_since_usec / USEC_PER_SEC },
                { "engine_task_count_total", "counter", "Engine tasks by type.",
                  "AttemptScheduleUnit", m.tasks_placed },
                { "engine_task_count_total", NULL, NULL, "UnscheduleUnit", m.tasks_unplaced },
                { "engine_task_failure_count_total", "counter",
                  "Engine tasks that failed, by type.", "ApplyPlan", m.tasks_failed },
                { "engine_reconcile_count_total", "counter", "Passes of the engine.", NULL,
                  m.passes },
                { "engine_reconcile_failure_count_total", "counter",
                  "Placements that did not hold, by type.", "machine_away",
                  m.failures_machine_away },
                { "engine_reconcile_failure_count_total", NULL, NULL, "run", m.failures_run },
                { "engine_reconcile_failure_count_total", NULL, NULL, "schedule",
                  m.failures_schedule },
        };

        return append_samples(b, samples, ELEMENTSOF(samples));
}

static int append_agent(Buf *b, const Agent *agent) {
        AgentMetrics m;

        agent_metrics(agent, &m);
        const Sample samples[] = {
                { "agent_units", "gauge", "Units that are loaded on this machine.", NULL, m.units },
                { "agent_step_count_total", "counter", "Loads, starts, stops and unloads done.",
                  NULL, m.steps_done },
                { "agent_step_failure_count_total", "counter", "Those that failed.", NULL,
                  m.steps_failed },
        };

        return append_samples(b, samples, ELEMENTSOF(samples));
}

static int append_api(Buf *b, const Api *api) {
        const Sample samples[] = {
                { "api_connections", "gauge", "Open connections.", NULL,
                  api->server ? http_server_connections(api->server) : 0 },
                { "api_streams", "gauge", "Open event and journal streams.", NULL, api->n_streams },
                { "api_reply_count_total", "counter", "Replies by class of status.", "2xx",
                  api->n_replies[2] },
                { "api_reply_count_total", NULL, NULL, "3xx", api->n_replies[3] },
                { "api_reply_count_total", NULL, NULL, "4xx", api->n_replies[4] },
                { "api_reply_count_total", NULL, NULL, "5xx", api->n_replies[5] },
        };

        return append_samples(b, samples, ELEMENTSOF(samples));
}

void metrics_get(ApiRequest *q) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        int r;

        r = append_engine(&b, q->api->engine);
        if (r >= 0)
                r = append_agent(&b, q->api->options.agent);
        if (r >= 0)
                r = append_api(&b, q->api);
        if (r < 0)
                request_fail(q, r, NULL);
        else
                request_reply_text(q, 200, "text/plain; version=0.0.4", buf_str(&b));
}
