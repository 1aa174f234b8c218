/*
 * How a container's end is told to the service machine: exit code, signal, or an orderly stop. Pure.
 */
#pragma once

#include "drivers/service/service.h"

/* What is known of the end. */
typedef struct DockerExitFacts {
        int code; /* as the engine has it: 128 + n for signal n */
        bool oom_killed;
        bool stopped_by_us;   /* ExecStop= stopped or killed it */
        bool stopped_outside; /* somebody's `docker stop`, by an engine that goes on */
        bool engine_was_away; /* it ended when we could not see how */
        uint64_t signals;     /* bit n - 1: signal n was sent to it, by us or by others */
} DockerExitFacts;

/* The message is not set. */
void docker_exit_decide(const DockerExitFacts *facts, ServiceExit *ret);

/* One signal as a bit for `signals`; 0 for none there is. */
uint64_t docker_signal_bit(int signal_number);
