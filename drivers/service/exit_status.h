/*
 * Exit statuses and signals by their names: systemd.exec(5) "PROCESS EXIT CODES", signal(7).
 * Private to drivers/service.
 */
#pragma once

#include "lib/base/base.h"

#define SIGNAL_MAX 64

/* "TERM", "SIGTERM", "15", "RTMIN+3", "SIGRTMAX-1": the number, or -EINVAL. */
int signal_from_string(const char *s);

/* "TERM", "RTMIN+3"; writes into and returns `buffer` where there is no name. */
#define SIGNAL_NAME_MAX 16
const char *signal_to_string(int signal_number, char buffer[SIGNAL_NAME_MAX]);

/* "0".."255", "TEMPFAIL", "EX_TEMPFAIL", "EXIT_TEMPFAIL": the status, or -EINVAL. */
int exit_status_from_string(const char *s);
