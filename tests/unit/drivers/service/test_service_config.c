#include "drivers/service/service_config.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "drivers/service/exit_status.h"
#include "drivers/service/service_keys.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define UNIT "web@one.service"

static const SpecifierHost host = { .hostname = "box.example.org", .machine_id = "4711" };

static UnitFile *unit_file(const char *text) {
        _cleanup_error_ Error why = ERROR_INIT;
        UnitFile *file = NULL;
        int r;

        r = unit_file_parse(text, strlen(text), &file, &why);
        ck_assert_msg(r == 0, "%s", error_text(&why));
        return file;
}

/* What is behind "[Service]\nExecStart=/m\n". */
static ServiceConfig *parse_more(const char *more) {
        _cleanup_free_ char *text = str_printf("[Service]\nExecStart=/m\n%s\n", more);
        _cleanup_(unit_file_freep) UnitFile *file = unit_file(text);
        _cleanup_error_ Error why = ERROR_INIT;
        ServiceConfig *c = NULL;
        int r;

        r = service_config_parse(UNIT, file, &host, &c, &why);
        ck_assert_msg(r == 0, "%s: %s", more, error_text(&why));
        return c;
}

START_TEST(defaults_are_systemds) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more("");

        ck_assert_str_eq(c->unit, UNIT);
        ck_assert_int_eq(c->type, SERVICE_TYPE_SIMPLE);
        ck_assert_int_eq(c->restart, SERVICE_RESTART_NO);
        ck_assert_uint_eq(c->restart_usec, 100 * USEC_PER_MSEC);
        ck_assert_uint_eq(c->timeout_start_usec, 90 * USEC_PER_SEC);
        ck_assert_uint_eq(c->timeout_stop_usec, 90 * USEC_PER_SEC);
        ck_assert_uint_eq(c->timeout_abort_usec, 90 * USEC_PER_SEC);
        ck_assert_uint_eq(c->runtime_max_usec, USEC_INFINITY);
        ck_assert_uint_eq(c->watchdog_usec, 0);
        ck_assert_uint_eq(c->start_limit_interval_usec, 10 * USEC_PER_SEC);
        ck_assert_uint_eq(c->start_limit_burst, 5);
        ck_assert_int_eq(c->kill_mode, SERVICE_KILL_CONTROL_GROUP);
        ck_assert_int_eq(c->kill_signal, SIGTERM);
        ck_assert_int_eq(c->restart_kill_signal, 0);
        ck_assert_int_eq(c->final_kill_signal, SIGKILL);
        ck_assert_int_eq(c->watchdog_signal, SIGABRT);
        ck_assert(c->send_sigkill && !c->send_sighup && !c->remain_after_exit);
}
END_TEST

/* ---- values ------------------------------------------------------------------------------------- */

#define FIELD(member) offsetof(ServiceConfig, member)

static const struct {
        const char *text;
        size_t offset;
        uint64_t usec;
} spans[] = {
        { "TimeoutStartSec=5", FIELD(timeout_start_usec), 5 * USEC_PER_SEC },
        { "TimeoutStartSec=0", FIELD(timeout_start_usec), USEC_INFINITY },
        { "TimeoutStartSec=infinity", FIELD(timeout_start_usec), USEC_INFINITY },
        { "TimeoutStartSec=1min 30s\nTimeoutStartSec=", FIELD(timeout_start_usec),
          90 * USEC_PER_SEC },
        { "TimeoutStopSec=0", FIELD(timeout_stop_usec), USEC_INFINITY },
        { "TimeoutSec=3", FIELD(timeout_start_usec), 3 * USEC_PER_SEC },
        { "TimeoutSec=3", FIELD(timeout_stop_usec), 3 * USEC_PER_SEC },
        { "TimeoutSec=3", FIELD(timeout_abort_usec), 3 * USEC_PER_SEC },
        { "TimeoutAbortSec=7\nTimeoutStopSec=3", FIELD(timeout_abort_usec), 7 * USEC_PER_SEC },
        { "TimeoutAbortSec=7\nTimeoutAbortSec=\nTimeoutStopSec=3", FIELD(timeout_abort_usec),
          3 * USEC_PER_SEC },
        { "RestartSec=1min 2s", FIELD(restart_usec), 62 * USEC_PER_SEC },
        { "RestartSec=0", FIELD(restart_usec), 0 },
        { "RuntimeMaxSec=1h", FIELD(runtime_max_usec), USEC_PER_HOUR },
        { "RuntimeMaxSec=0", FIELD(runtime_max_usec), 0 },
        { "RuntimeRandomizedExtraSec=9", FIELD(runtime_extra_usec), 9 * USEC_PER_SEC },
        { "WatchdogSec=500ms", FIELD(watchdog_usec), 500 * USEC_PER_MSEC },
        { "WatchdogSec=infinity", FIELD(watchdog_usec), 0 },
        { "StartLimitInterval=60", FIELD(start_limit_interval_usec), USEC_PER_MINUTE },
        { "[Unit]\nStartLimitIntervalSec=0", FIELD(start_limit_interval_usec), 0 },
        { "[Unit]\nStartLimitInterval=1h", FIELD(start_limit_interval_usec), USEC_PER_HOUR },
};

START_TEST(spans_are_read) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more(spans[_i].text);

        ck_assert_msg(*(uint64_t *) (void *) ((char *) c + spans[_i].offset) == spans[_i].usec,
                      "%s", spans[_i].text);
}
END_TEST

static const struct {
        const char *text;
        size_t offset;
        int value;
} words[] = {
        { "Type=simple", FIELD(type), SERVICE_TYPE_SIMPLE },
        { "Type=exec", FIELD(type), SERVICE_TYPE_EXEC },
        { "Type=forking", FIELD(type), SERVICE_TYPE_FORKING },
        { "Type=oneshot", FIELD(type), SERVICE_TYPE_ONESHOT },
        { "Type=notify", FIELD(type), SERVICE_TYPE_NOTIFY },
        { "Type=idle", FIELD(type), SERVICE_TYPE_IDLE },
        { "Type=dbus\nBusName=org.example.X", FIELD(type), SERVICE_TYPE_DBUS },
        { "BusName=org.example.X", FIELD(type), SERVICE_TYPE_DBUS },
        { "Type=notify\nType=", FIELD(type), SERVICE_TYPE_NOTIFY },
        { "ExecStart=\nRemainAfterExit=1\nExecStop=/s", FIELD(type), SERVICE_TYPE_ONESHOT },
        { "Restart=no", FIELD(restart), SERVICE_RESTART_NO },
        { "Restart=on-success", FIELD(restart), SERVICE_RESTART_ON_SUCCESS },
        { "Restart=on-failure", FIELD(restart), SERVICE_RESTART_ON_FAILURE },
        { "Restart=on-abnormal", FIELD(restart), SERVICE_RESTART_ON_ABNORMAL },
        { "Restart=on-watchdog", FIELD(restart), SERVICE_RESTART_ON_WATCHDOG },
        { "Restart=on-abort", FIELD(restart), SERVICE_RESTART_ON_ABORT },
        { "Restart=always\nRestart=", FIELD(restart), SERVICE_RESTART_ALWAYS },
        { "KillMode=mixed\nKillMode=", FIELD(kill_mode), SERVICE_KILL_MIXED },
        { "KillMode=process", FIELD(kill_mode), SERVICE_KILL_PROCESS },
        { "KillMode=none", FIELD(kill_mode), SERVICE_KILL_NONE },
        { "KillSignal=SIGINT\nKillSignal=", FIELD(kill_signal), SIGINT },
        { "KillSignal=QUIT", FIELD(kill_signal), SIGQUIT },
        { "KillSignal=9", FIELD(kill_signal), SIGKILL },
        { "FinalKillSignal=SIGRTMIN+3", FIELD(final_kill_signal), 37 },
        { "WatchdogSignal=RTMAX-1", FIELD(watchdog_signal), 63 },
        { "RestartKillSignal=HUP", FIELD(restart_kill_signal), SIGHUP },
        { "TimeoutStartFailureMode=abort\nTimeoutStartFailureMode=", FIELD(timeout_start_mode),
          SERVICE_TIMEOUT_ABORT },
        { "TimeoutStopFailureMode=kill", FIELD(timeout_stop_mode), SERVICE_TIMEOUT_KILL },
        { "StartLimitBurst=0\nStartLimitBurst=", FIELD(start_limit_burst), 0 },
};

START_TEST(words_are_read) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more(words[_i].text);

        ck_assert_msg(*(int *) (void *) ((char *) c + words[_i].offset) == words[_i].value, "%s",
                      words[_i].text);
}
END_TEST

START_TEST(booleans_are_read) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more(
                "RemainAfterExit=on\nSendSIGKILL=no\nSendSIGHUP=1\nSendSIGHUP=");

        ck_assert(c->remain_after_exit && !c->send_sigkill && c->send_sighup);
}
END_TEST

START_TEST(exit_sets_are_read) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more(
                "SuccessExitStatus=7\nSuccessExitStatus=\n"
                "SuccessExitStatus=143 TEMPFAIL SIGKILL\nSuccessExitStatus=EX_USAGE 64\n"
                "RestartPreventExitStatus=EXIT_NOPERMISSION 255 RTMAX");

        ck_assert(!service_exit_set_has(&c->success, false, 7));
        ck_assert(service_exit_set_has(&c->success, false, 143));
        ck_assert(service_exit_set_has(&c->success, false, 75));
        ck_assert(service_exit_set_has(&c->success, false, 64));
        ck_assert(service_exit_set_has(&c->success, true, SIGKILL));
        ck_assert(!service_exit_set_has(&c->success, false, SIGKILL));
        ck_assert(!service_exit_set_has(&c->success, true, 75));
        ck_assert(service_exit_set_has(&c->restart_prevent, false, 4));
        ck_assert(service_exit_set_has(&c->restart_prevent, false, 255));
        ck_assert(service_exit_set_has(&c->restart_prevent, true, 64));
        ck_assert(!service_exit_set_has(&c->restart_prevent, true, 65));
        ck_assert(!service_exit_set_has(&c->restart_prevent, true, 0));
        ck_assert(!service_exit_set_has(&c->restart_prevent, false, 256));
        ck_assert(!service_exit_set_has(&c->restart_prevent, false, -1));
}
END_TEST

START_TEST(signals_have_names) {
        char buffer[SIGNAL_NAME_MAX];

        ck_assert_str_eq(signal_to_string(SIGTERM, buffer), "TERM");
        ck_assert_str_eq(signal_to_string(SIGRTMIN, buffer), "RTMIN");
        ck_assert_str_eq(signal_to_string(SIGRTMIN + 2, buffer), "RTMIN+2");
        ck_assert_str_eq(signal_to_string(99, buffer), "99");
        for (int i = 1; i <= SIGRTMAX; i++)
                if (i < 32 || i >= SIGRTMIN)
                        ck_assert_int_eq(signal_from_string(signal_to_string(i, buffer)), i);
        ck_assert_int_lt(signal_from_string("RTMIN+99"), 0);
        ck_assert_int_lt(signal_from_string("RTMIN-1"), 0);
        ck_assert_int_lt(signal_from_string("RTMAX+1"), 0);
        ck_assert_int_lt(signal_from_string("RTMINI"), 0);
        ck_assert_int_lt(signal_from_string("0"), 0);
        ck_assert_int_lt(signal_from_string("65"), 0);
}
END_TEST

/* ---- commands and environment ------------------------------------------------------------------- */

START_TEST(commands_are_read) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more(
                "ExecStartPre=/a\nExecStartPre=\nExecStartPre=-/b %i 'x %p' ; /c\n"
                "ExecStopPost=@docker %H \\\n  rm\nExecStop=/opt/%i/bin");
        const ServiceCommand *pre = c->commands[SERVICE_EXEC_START_PRE];

        ck_assert_uint_eq(c->n_commands[SERVICE_EXEC_START], 1);
        ck_assert_uint_eq(c->n_commands[SERVICE_EXEC_START_PRE], 2);
        ck_assert_str_eq(pre[0].line.path, "/b");
        ck_assert_str_eq(pre[0].line.argv.items[1], "one");
        ck_assert_str_eq(pre[0].line.argv.items[2], "x web");
        ck_assert(pre[0].line.flags & COMMAND_IGNORE_FAILURE);
        ck_assert_int_eq(pre[0].kind, SERVICE_EXEC_START_PRE);
        ck_assert_uint_eq(pre[0].file_line, 5);
        ck_assert_str_eq(pre[1].line.path, "/c");
        ck_assert_ptr_null(pre[1].driver_data);
        ck_assert_str_eq(c->commands[SERVICE_EXEC_STOP_POST][0].line.path, "docker");
        ck_assert_str_eq(c->commands[SERVICE_EXEC_STOP_POST][0].line.argv.items[0],
                         "box.example.org");
        ck_assert_str_eq(c->commands[SERVICE_EXEC_STOP_POST][0].line.argv.items[1], "rm");
        ck_assert_str_eq(c->commands[SERVICE_EXEC_STOP][0].line.path, "/opt/one/bin");
        for (int k = 0; k < _SERVICE_EXEC_MAX; k++)
                ck_assert_int_eq(strncmp(service_exec_kind_to_string(k), "Exec", 4), 0);
}
END_TEST

START_TEST(specifiers_of_an_unknown_host_stay) {
        _cleanup_(unit_file_freep)
                UnitFile *file = unit_file("[Service]\nExecStart=/m %H %i %m\nEnvironment=A=%v\n");
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;

        ck_assert_int_eq(service_config_parse(UNIT, file, NULL, &c, NULL), 0);
        ck_assert_str_eq(c->commands[SERVICE_EXEC_START][0].line.argv.items[1], "%H");
        ck_assert_str_eq(c->commands[SERVICE_EXEC_START][0].line.argv.items[2], "one");
        ck_assert_str_eq(c->environment.items[0], "A=%v");
}
END_TEST

static char *joined_environment(const ServiceConfig *c) {
        _cleanup_(strv_done) Strv environment = STRV_INIT;
        _cleanup_error_ Error why = ERROR_INIT;
        int r;

        r = service_config_environment(c, &environment, &why);
        ck_assert_msg(r == 0, "%s", error_text(&why));
        return strv_join(&environment, "|");
}

START_TEST(environment_is_put_together) {
        _cleanup_free_ char *directory = NULL, *one = NULL, *two = NULL, *more = NULL, *env = NULL;
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;

        ck_assert_int_eq(fs_temp_directory("service-config", &directory), 0);
        one = str_printf("%s/one.env", directory);
        two = str_printf("%s/two.env", directory);
        ck_assert_int_eq(fs_write_file(one, "B=file\nC=\"c c\"\n", 15, 0600), 0);
        ck_assert_int_eq(fs_write_file(two, "D=4\nE=5\n", 8, 0600), 0);
        ck_assert_int_eq(setenv("FLOTILLA_TEST_PASSED", "p", 1), 0);

        more = str_printf("Environment=OLD=1\nEnvironment=\nEnvironment=A=%%i \"B=b b\"\n"
                          "EnvironmentFile=/nowhere\nEnvironmentFile=\n"
                          "EnvironmentFile=-/nowhere/%%i.env\nEnvironmentFile=%s/*.env\n"
                          "PassEnvironment=FLOTILLA_TEST_PASSED FLOTILLA_TEST_NOT_SET\n"
                          "UnsetEnvironment=NONE\nUnsetEnvironment=\n"
                          "UnsetEnvironment=D E=6 A=one",
                          directory);
        c = parse_more(more);
        env = joined_environment(c);
        ck_assert_str_eq(env, "FLOTILLA_TEST_PASSED=p|B=file|C=c c|E=5");
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

START_TEST(bad_environment_files_are_named) {
        _cleanup_free_ char *directory = NULL, *path = NULL, *more = NULL;
        _cleanup_(service_config_freep) ServiceConfig *missing = NULL, *bad = NULL;
        _cleanup_(strv_done) Strv environment = STRV_INIT;
        _cleanup_error_ Error why = ERROR_INIT;

        missing = parse_more("EnvironmentFile=/nowhere/x.env");
        ck_assert_int_eq(service_config_environment(missing, &environment, &why), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error_text(&why), "'/nowhere/x.env'"));

        ck_assert_int_eq(fs_temp_directory("service-config", &directory), 0);
        path = str_printf("%s/bad.env", directory);
        ck_assert_int_eq(fs_write_file(path, "A=\xff\n", 4, 0600), 0);
        more = str_printf("EnvironmentFile=%s", path);
        bad = parse_more(more);
        ck_assert_int_eq(service_config_environment(bad, &environment, &why), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error_text(&why), path));
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

START_TEST(conditions_are_looked_at) {
        static const struct {
                const char *condition;
                bool met;
        } cases[] = { { "PathExists=%s/file", true },
                      { "PathExists=%s/none", false },
                      { "PathExists=!%s/none", true },
                      { "PathExistsGlob=%s/f*", true },
                      { "PathExistsGlob=%s/g*", false },
                      { "PathIsDirectory=%s", true },
                      { "PathIsDirectory=%s/file", false },
                      { "PathIsSymbolicLink=%s/link", true },
                      { "PathIsSymbolicLink=%s", false },
                      { "PathIsReadWrite=%s", true },
                      { "PathIsReadWrite=%s/none", false },
                      { "DirectoryNotEmpty=%s", true },
                      { "DirectoryNotEmpty=%s/d", false },
                      { "DirectoryNotEmpty=%s/none", false },
                      { "FileNotEmpty=%s/file", true },
                      { "FileNotEmpty=%s/empty", false },
                      { "FileIsExecutable=%s/empty", true },
                      { "FileIsExecutable=%s/file", false },
                      { "Host=!%s", true },
                      { "Host=|*", true } };
        _cleanup_free_ char *directory = NULL, *command = NULL;

        ck_assert_int_eq(fs_temp_directory("service-config", &directory), 0);
        command = str_printf("%s/file", directory);
        ck_assert_int_eq(fs_write_file(command, "x", 1, 0600), 0);
        mem_free(command);
        command = str_printf("%s/empty", directory);
        ck_assert_int_eq(fs_write_file(command, "", 0, 0700), 0);
        mem_free(command);
        command = str_printf("%s/d", directory);
        ck_assert_int_eq(fs_mkdir_p(command, 0700), 0);
        mem_free(command);
        command = str_printf("%s/link", directory);
        ck_assert_int_eq(symlink("file", command), 0);

        for (size_t i = 0; i < 2 * ELEMENTSOF(cases); i++) {
                const char *text = cases[i / 2].condition, *at = strstr(text, "%s");
                bool asserts = i % 2 == 1;
                _cleanup_free_ char *more = str_printf(
                        "[Unit]\n%s%.*s%s%s", asserts ? "Assert" : "Condition",
                        (int) (at ? (size_t) (at - text) : strlen(text)), text, at ? directory : "",
                        at ? at + 2 : "");
                _cleanup_(service_config_freep) ServiceConfig *c = parse_more(more);

                ck_assert_ptr_null(service_config_unmet(c, !asserts));
                ck_assert_msg((service_config_unmet(c, asserts) == NULL) == cases[i / 2].met, "%s",
                              more);
        }
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

/* ---- keys --------------------------------------------------------------------------------------- */

START_TEST(every_key_is_followed_or_explained) {
        static const char *const sections[] = { "Unit", "Service" };
        size_t n_followed = 0, n_all = 0;

        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                size_t n;
                const ServiceKey *keys = service_keys(sections[i], &n);

                for (size_t k = 0; k < n; k++) {
                        ck_assert_msg(keys[k].set || keys[k].why, "%s", keys[k].name);
                        ck_assert_ptr_eq(service_key_find(sections[i], keys[k].name), &keys[k]);
                        n_followed += keys[k].set && !keys[k].why;
                }
                n_all += n;
        }
        ck_assert_uint_eq(n_all, 361); /* systemd 252 */
        ck_assert_uint_ge(n_followed, 40);
}
END_TEST

/* What old units hold, and what is others' matter. */
START_TEST(harmless_keys_are_accepted) {
        _cleanup_(service_config_freep) ServiceConfig *c = parse_more(
                "User=core\nNice=5\nLimitNOFILE=65536\nStandardOutput=journal\nStandardInput=null\n"
                "PrivateTmp=yes\nMemoryMax=1G\nNotifyAccess=all\nPIDFile=/run/x.pid\nX-Own=1\n"
                "ExitType=main\nFailureAction=none\nStartLimitAction=\nWorkingDirectory=/srv\n"
                "SysVStartPriority=99\nSockets=\nStandardInput=\nStandardInputText=\nExitType=\n"
                "[Unit]\nDescription=d\nAfter=docker.service\nRequires=a.service\nWants=b.service\n"
                "ConditionPathExists=/x\nX-More=2\nOnFailure=c.service\nIgnoreOnSnapshot=yes\n"
                "[Install]\nWantedBy=multi-user.target\nBogus=1\n"
                "[X-Fleet]\nMachineOf=a.service\nGlobal=true\n[X-Mine]\nBogus=1\n"
                "[Container]\nImage=x\n");

        ck_assert_uint_eq(c->n_commands[SERVICE_EXEC_START], 1);
}
END_TEST

/* `text` after "[Service]\nExecStart=/m\n" (or alone, if it has a [Service] of its own first). */
static const struct {
        const char *text;
        unsigned line;
        const char *words;
} invalid[] = {
        { "ExecStrat=/x", 3, "unknown key 'ExecStrat' in [Service]: did you mean 'ExecStart'?" },
        { "execstop=/x", 3, "did you mean 'ExecStop'?" },
        { "Bogus=1", 3, "unknown key 'Bogus' in [Service]" },
        { "After=x.service", 3, "unknown key 'After' in [Service]: it belongs into [Unit]" },
        { "StartLimitIntervalSec=1", 3, "it belongs into [Unit]" },
        { "[Unit]\nRestart=always", 4, "it belongs into [Service]" },
        { "[Unit]\nDescripton=x", 4, "did you mean 'Description'?" },
        { "[Sevice]\nA=b", 4, "unknown section [Sevice]" },
        { "Type=bogus", 3, "Type=: 'bogus' is none of simple, exec, forking" },
        { "Type=dbus", 3, "Type=dbus needs BusName=" },
        { "Restart=sometimes", 3, "Restart=: 'sometimes' is none of no, on-success" },
        { "KillMode=all", 3, "KillMode=: 'all' is none of control-group, mixed, process, none" },
        { "TimeoutStopFailureMode=x", 3, "none of terminate, abort, kill" },
        { "RemainAfterExit=maybe", 3, "RemainAfterExit=: 'maybe' is neither yes nor no" },
        { "TimeoutStartSec=abc", 3, "TimeoutStartSec=: " },
        { "TimeoutSec=-1", 3, "TimeoutSec=: " },
        { "TimeoutAbortSec=5 lightyears", 3, "TimeoutAbortSec=: " },
        { "RestartSec=abc", 3, "RestartSec=: " },
        { "KillSignal=SIGBOGUS", 3, "KillSignal=: there is no signal 'SIGBOGUS'" },
        { "SuccessExitStatus=1 256", 3, "'256' is neither an exit status nor a signal" },
        { "RestartForceExitStatus=EX_BOGUS", 3, "'EX_BOGUS' is neither" },
        { "StartLimitBurst=many", 3, "StartLimitBurst=: 'many' is not a number" },
        { "StartLimitBurst=4294967296", 3, "is not a number" },
        { "Environment=A", 3, "Environment=: 'A' is not an assignment" },
        { "Environment=\"A=b", 3, "Environment=: " },
        { "Environment=A=%f", 3, "Environment=: " },
        { "EnvironmentFile=relative", 3, "'relative' is not an absolute path" },
        { "EnvironmentFile=/x/%f", 3, "EnvironmentFile=: " },
        { "PassEnvironment=A=b", 3, "'A=b' is not a name of a variable" },
        { "PassEnvironment='A", 3, "PassEnvironment=: " },
        { "UnsetEnvironment=1A", 3, "'1A' is not a name" },
        { "UnsetEnvironment=%f", 3, "UnsetEnvironment=: " },
        { "ExecStop='/x", 3, "ExecStop=: " },
        { "ExecStop=a/b c", 3,
          "ExecStop=: neither an executable name nor an absolute path: 'a/b'" },
        { "ExecStop=/x %f", 3, "ExecStop=: " },
        { "ExecStart=/n", 3, "more than one ExecStart=, which only Type=oneshot may have" },
        { "ExecStart=", 3, "[Service] has neither ExecStart= nor ExecStop=" },
        { "ExecStart=\nExecStop=/s", 0, "no ExecStart= and no RemainAfterExit=yes" },
        { "ExecStart=\nExecStop=/s\nRemainAfterExit=no", 5, "no RemainAfterExit=yes" },
        { "ExecStart=\nExecStop=/s\nType=simple", 5, "which only Type=oneshot may lack" },
        { "Type=oneshot\nRestart=always", 4, "not for Type=oneshot" },
        { "Type=oneshot\nRestart=on-success", 4, "not for Type=oneshot" },
        { "Type=oneshot\nRestartForceExitStatus=1", 4, "RestartForceExitStatus= is not for" },
        { "Type=oneshot\nRestartForceExitStatus=HUP", 4, "RestartForceExitStatus= is not for" },
        { "[Unit]\nConditionPathExists=x", 4, "'x' is not an absolute path" },
        { "[Unit]\nAssertFileNotEmpty=|!", 4, "'' is not an absolute path" },
        { "[Unit]\nConditionPathExists=/%f", 4, "ConditionPathExists=: " },
        { "[Unit]\nConditionVirtualization=vm", 4, "cannot be checked for a supervised unit" },
        { "FailureAction=reboot", 3, "FailureAction=: 'reboot' would act on the whole machine" },
        { "[Unit]\nStartLimitAction=reboot-force", 4, "StartLimitAction=: " },
        { "ExitType=cgroup", 3, "ExitType=: 'cgroup' cannot be followed" },
        { "StandardInput=socket", 3, "StandardInput=: input from 'socket'" },
        { "StandardInputText=x", 3, "StandardInputText=: cannot be followed" },
        { "Sockets=x.socket", 3, "Sockets=: cannot be followed" },
};

START_TEST(mistakes_are_named) {
        _cleanup_free_ char *text = str_printf("[Service]\nExecStart=/m\n%s\n", invalid[_i].text);
        _cleanup_(unit_file_freep) UnitFile *file = unit_file(text);
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(service_config_parse(UNIT, file, &host, &c, &why), -EINVAL);
        ck_assert_ptr_null(c);
        ck_assert_msg(strstr(error_text(&why), invalid[_i].words) != NULL, "%s: %s",
                      invalid[_i].text, error_text(&why));
        ck_assert_msg(why.line == invalid[_i].line, "%s: line %u", invalid[_i].text, why.line);
}
END_TEST

START_TEST(only_services_are_read) {
        _cleanup_(unit_file_freep) UnitFile *file = unit_file("[Unit]\nDescription=x\n");
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(service_config_parse("x.timer", file, NULL, &c, &why), -EINVAL);
        ck_assert_str_eq(error_text(&why), "'x.timer' is not a service");
        ck_assert_int_eq(service_config_parse("x.service", file, NULL, &c, &why), -EINVAL);
        ck_assert_str_eq(error_text(&why), "no [Service] section");
}
END_TEST

/* ---- limits and memory -------------------------------------------------------------------------- */

START_TEST(lists_have_limits) {
        static const struct {
                const char *line, *words;
                int n;
        } cases[] = { { "ExecStop=/s", "more than 256 commands", SERVICE_COMMANDS_MAX },
                      { "AssertHost=*", "more than 256 conditions", SERVICE_CONDITIONS_MAX },
                      { "EnvironmentFile=/e", "more than 256 files",
                        SERVICE_ENVIRONMENT_FILES_MAX } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *file = unit_file("[Service]\nExecStart=/m\n");
                _cleanup_(service_config_freep) ServiceConfig *c = NULL, *none = NULL;
                _cleanup_error_ Error why = ERROR_INIT;
                const char *value = strchr(cases[i].line, '=') + 1;
                const char *section = str_after_prefix(cases[i].line, "Assert") ? "Unit"
                                                                                : "Service";
                _cleanup_free_ char *name = str_ndup(cases[i].line,
                                                     (size_t) (value - 1 - cases[i].line));

                for (int k = 0; k < cases[i].n; k++)
                        ck_assert_int_eq(unit_file_add(file, section, name, value, NULL), 0);
                ck_assert_int_eq(service_config_parse(UNIT, file, NULL, &c, NULL), 0);
                ck_assert_int_eq(unit_file_add(file, section, name, value, NULL), 0);
                ck_assert_int_eq(service_config_parse(UNIT, file, NULL, &none, &why), -EINVAL);
                ck_assert_ptr_nonnull(strstr(error_text(&why), cases[i].words));
        }
}
END_TEST

#define EVERYTHING                                                                                 \
        "[Unit]\nStartLimitBurst=3\nConditionPathExists=|/"                                        \
        "%i\nAssertHost=*\n[Service]\nType=oneshot\nExecStart=/a %i 'b c' ; /d $E\n"               \
        "ExecStartPre=-/p\nExecStopPost=@/x y\nEnvironment=A=1 \"B=2 %H\"\nEnvironment=A=3\n"      \
        "EnvironmentFile=-/nowhere/%i\nPassEnvironment=HOME\nUnsetEnvironment=A\n"                 \
        "SuccessExitStatus=1 TERM\nTimeoutStartSec=5min\nRestart=on-failure\n"

START_TEST(no_memory_is_survived) {
        _cleanup_(unit_file_freep) UnitFile *file = unit_file(EVERYTHING);
        uint64_t n = 1;
        int r;

        for (;; n++) {
                _cleanup_(service_config_freep) ServiceConfig *c = NULL;
                _cleanup_(strv_done) Strv environment = STRV_INIT;
                _cleanup_error_ Error why = ERROR_INIT;

                alloc_fail_after(n);
                r = service_config_parse(UNIT, file, &host, &c, &why);
                if (r >= 0)
                        r = service_config_environment(c, &environment, &why);
                alloc_fail_after(0);
                if (r >= 0)
                        break;

                ck_assert_msg(r == -ENOMEM, "allocation %llu: %d %s", (unsigned long long) n, r,
                              error_text(&why));
                ck_assert_int_eq(why.code, -ENOMEM);
        }
        ck_assert_uint_gt(n, 50);
}
END_TEST

int main(void) {
        Suite *s = suite_create("service config");
        TCase *t = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(t, spans_are_read, 0, ELEMENTSOF(spans));
        tcase_add_loop_test(t, words_are_read, 0, ELEMENTSOF(words));
        tcase_add_loop_test(t, mistakes_are_named, 0, ELEMENTSOF(invalid));
        tcase_add_test(t, defaults_are_systemds);
        tcase_add_test(t, booleans_are_read);
        tcase_add_test(t, exit_sets_are_read);
        tcase_add_test(t, signals_have_names);
        tcase_add_test(t, commands_are_read);
        tcase_add_test(t, specifiers_of_an_unknown_host_stay);
        tcase_add_test(t, environment_is_put_together);
        tcase_add_test(t, bad_environment_files_are_named);
        tcase_add_test(t, conditions_are_looked_at);
        tcase_add_test(t, every_key_is_followed_or_explained);
        tcase_add_test(t, harmless_keys_are_accepted);
        tcase_add_test(t, only_services_are_read);
        tcase_add_test(t, lists_have_limits);
        tcase_add_test(t, no_memory_is_survived);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
