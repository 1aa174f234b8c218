/*
 * RestartJob: asks systemd whether the signal that ends us is part of a restart of our own unit.
 *
 * The only file of agent/ that speaks D-Bus; never waits for an answer.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"

typedef struct RestartJob RestartJob;

#define RESTART_JOB_TIMEOUT_USEC (2 * USEC_PER_SEC)

/* known: systemd has answered; restart: there is such a job. Called once, from the loop. */
typedef void (*RestartJobFn)(bool known, bool restart, void *userdata);

/* 0, or negative: no systemd runs us, or it cannot be asked; then fn is not called. The caller owns *ret. */
int restart_job_ask(sd_event *event, RestartJobFn fn, void *userdata, RestartJob **ret);
RestartJob *restart_job_free(RestartJob *j); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(RestartJob, restart_job_free);
