#include "drivers/service/exit_status.h"

#include <signal.h>
#include <stdio.h>

#include "lib/base/str.h"

/* C library, LSB, systemd and BSD: what `systemd-analyze exit-status` lists. */
static const struct {
        const char *name;
        int status;
} exit_statuses[] = {
        { "SUCCESS", 0 },
        { "FAILURE", 1 },
        { "INVALIDARGUMENT", 2 },
        { "NOTIMPLEMENTED", 3 },
        { "NOPERMISSION", 4 },
        { "NOTINSTALLED", 5 },
        { "NOTCONFIGURED", 6 },
        { "NOTRUNNING", 7 },
        { "USAGE", 64 },
        { "DATAERR", 65 },
        { "NOINPUT", 66 },
        { "NOUSER", 67 },
        { "NOHOST", 68 },
        { "UNAVAILABLE", 69 },
        { "SOFTWARE", 70 },
        { "OSERR", 71 },
        { "OSFILE", 72 },
        { "CANTCREAT", 73 },
        { "IOERR", 74 },
        { "TEMPFAIL", 75 },
        { "PROTOCOL", 76 },
        { "NOPERM", 77 },
        { "CONFIG", 78 },
        { "CHDIR", 200 },
        { "NICE", 201 },
        { "FDS", 202 },
        { "EXEC", 203 },
        { "MEMORY", 204 },
        { "LIMITS", 205 },
        { "OOM_ADJUST", 206 },
        { "SIGNAL_MASK", 207 },
        { "STDIN", 208 },
        { "STDOUT", 209 },
        { "CHROOT", 210 },
        { "IOPRIO", 211 },
        { "TIMERSLACK", 212 },
        { "SECUREBITS", 213 },
        { "SETSCHEDULER", 214 },
        { "CPUAFFINITY", 215 },
        { "GROUP", 216 },
        { "USER", 217 },
        { "CAPABILITIES", 218 },
        { "CGROUP", 219 },
        { "SETSID", 220 },
        { "CONFIRM", 221 },
        { "STDERR", 222 },
        { "PAM", 224 },
        { "NETWORK", 225 },
        { "NAMESPACE", 226 },
        { "NO_NEW_PRIVILEGES", 227 },
        { "SECCOMP", 228 },
        { "SELINUX_CONTEXT", 229 },
        { "PERSONALITY", 230 },
        { "APPARMOR", 231 },
        { "ADDRESS_FAMILIES", 232 },
        { "RUNTIME_DIRECTORY", 233 },
        { "CHOWN", 235 },
        { "SMACK_PROCESS_LABEL", 236 },
        { "KEYRING", 237 },
        { "STATE_DIRECTORY", 238 },
        { "CACHE_DIRECTORY", 239 },
        { "LOGS_DIRECTORY", 240 },
        { "CONFIGURATION_DIRECTORY", 241 },
        { "NUMA_POLICY", 242 },
        { "CREDENTIALS", 243 },
        { "BPF", 244 },
        { "EXCEPTION", 255 },
};

int exit_status_from_string(const char *s) {
        static const char *const prefixes[] = { "EXIT_", "EX_" };
        uint64_t n;

        if (str_to_u64(s, &n) == 0)
                return n <= UINT8_MAX ? (int) n : -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                const char *rest = str_after_prefix(s, prefixes[i]);

                if (rest) {
                        s = rest;
                        break;
                }
        }

        for (size_t i = 0; i < ELEMENTSOF(exit_statuses); i++)
                if (str_eq(exit_statuses[i].name, s))
                        return exit_statuses[i].status;

        return -EINVAL;
}

/* "+3" behind RTMIN or "-1" behind RTMAX, or nothing: the signal. */
static int realtime_signal(const char *offset, int base, char sign) {
        uint64_t n = 0;

        if (*offset != '\0' && (*offset != sign || str_to_u64(offset + 1, &n) < 0))
                return -EINVAL;
        if (n > (uint64_t) (SIGRTMAX - SIGRTMIN))
                return -EINVAL;

        return sign == '+' ? base + (int) n : base - (int) n;
}

int signal_from_string(const char *s) {
        const char *rest;
        uint64_t n;

        if (str_to_u64(s, &n) == 0)
                return n >= 1 && n <= SIGNAL_MAX ? (int) n : -EINVAL;

        rest = str_after_prefix(s, "SIG");
        if (rest)
                s = rest;

        rest = str_after_prefix(s, "RTMIN");
        if (rest)
                return realtime_signal(rest, SIGRTMIN, '+');
        rest = str_after_prefix(s, "RTMAX");
        if (rest)
                return realtime_signal(rest, SIGRTMAX, '-');

        for (int i = 1; i < SIGRTMIN; i++)
                if (str_eq(sigabbrev_np(i), s))
                        return i;

        return -EINVAL;
}

const char *signal_to_string(int signal_number, char buffer[SIGNAL_NAME_MAX]) {
        const char *name = sigabbrev_np(signal_number);

        if (name)
                return name;

        if (signal_number == SIGRTMIN)
                return "RTMIN";
        if (signal_number > SIGRTMIN && signal_number <= SIGRTMAX)
                (void) snprintf(buffer, SIGNAL_NAME_MAX, "RTMIN+%d", signal_number - SIGRTMIN);
        else
                (void) snprintf(buffer, SIGNAL_NAME_MAX, "%d", signal_number);
        return buffer;
}
