#include "drivers/docker/docker_exit.h"

#include <signal.h>

uint64_t docker_signal_bit(int signal_number) {
        return signal_number >= 1 && signal_number <= 64 ? UINT64_C(1) << (signal_number - 1) : 0;
}

/* Does one of the signals sent explain this code? Its number, or 0. */
static int exit_signal(int code, uint64_t signals) {
        return signals & docker_signal_bit(code - 128) ? code - 128 : 0;
}

void docker_exit_decide(const DockerExitFacts *facts, ServiceExit *ret) {
        int signal_number = exit_signal(facts->code, facts->signals);

        *ret = (ServiceExit){ .status = facts->code,
                              .clean = facts->stopped_by_us || facts->stopped_outside };
        if (facts->oom_killed && !ret->clean) {
                ret->oom_killed = ret->signaled = true;
                ret->status = SIGKILL;
        } else if (signal_number > 0) {
                ret->signaled = true;
                ret->status = signal_number;
        }
}
