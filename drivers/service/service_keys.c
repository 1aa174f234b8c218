#include "drivers/service/service_keys.h"

#include "drivers/service/service_set.h"
#include "lib/base/str.h"

/*
 * What systemd 252 does with these is in systemd.service(5), systemd.exec(5), systemd.kill(5),
 * systemd.resource-control(5) and systemd.unit(5); the list is what `systemd --dump-configuration-items`
 * and its messages about removed options know.
 */
#define PROCESS "it shaped the client process; a container takes such things from its own options"
#define SANDBOX "it fenced in the client process; a container has its own isolation"
#define CGROUP "it limited the client's control group; a container has its own"
#define OUTPUT "it routed the client's output; a container's output is kept by the engine"
#define DIRECTORY "it made directories for the client process; volumes are the container's"
#define NOTIFY "it passed descriptors or messages of the client process; none reach a container"
#define FORKING "it finds the main process of Type=forking only"
#define ACTION "it acts on the machine, not on the unit"
#define GONE "systemd has removed it and ignores it"
#define WORDS "it is for people"
#define RELATION "relations between units are not acted upon"
#define MANAGER "it steers systemd's own jobs"

#define FOLLOWED(key, fn, field)                                                                   \
        { (key), service_set_##fn, offsetof(ServiceConfig, field), NULL }
#define CHECKED(key, fn, reason)                                                                   \
        { (key), service_set_##fn, offsetof(ServiceConfig, unit), (reason) }
#define NOTHING(key, reason)                                                                       \
        { (key), NULL, 0, (reason) }

static const ServiceKey service_section_keys[] = {
        NOTHING("AllowedCPUs", CGROUP),
        NOTHING("AllowedMemoryNodes", CGROUP),
        NOTHING("AmbientCapabilities", SANDBOX),
        NOTHING("AppArmorProfile", SANDBOX),
        NOTHING("BPFProgram", CGROUP),
        NOTHING("BindPaths", SANDBOX),
        NOTHING("BindReadOnlyPaths", SANDBOX),
        NOTHING("BlockIOAccounting", CGROUP),
        NOTHING("BlockIODeviceWeight", CGROUP),
        NOTHING("BlockIOReadBandwidth", CGROUP),
        NOTHING("BlockIOWeight", CGROUP),
        NOTHING("BlockIOWriteBandwidth", CGROUP),
        FOLLOWED("BusName", bus_name, unit),
        NOTHING("BusPolicy", GONE),
        NOTHING("CPUAccounting", CGROUP),
        NOTHING("CPUAffinity", PROCESS),
        NOTHING("CPUQuota", CGROUP),
        NOTHING("CPUQuotaPeriodSec", CGROUP),
        NOTHING("CPUSchedulingPolicy", PROCESS),
        NOTHING("CPUSchedulingPriority", PROCESS),
        NOTHING("CPUSchedulingResetOnFork", PROCESS),
        NOTHING("CPUShares", CGROUP),
        NOTHING("CPUWeight", CGROUP),
        NOTHING("CacheDirectory", DIRECTORY),
        NOTHING("CacheDirectoryMode", DIRECTORY),
        NOTHING("Capabilities", GONE),
        NOTHING("CapabilityBoundingSet", SANDBOX),
        NOTHING("ConfigurationDirectory", DIRECTORY),
        NOTHING("ConfigurationDirectoryMode", DIRECTORY),
        NOTHING("CoredumpFilter", PROCESS),
        NOTHING("DefaultMemoryLow", CGROUP),
        NOTHING("DefaultMemoryMin", CGROUP),
        NOTHING("Delegate", CGROUP),
        NOTHING("DeviceAllow", CGROUP),
        NOTHING("DevicePolicy", CGROUP),
        NOTHING("DisableControllers", CGROUP),
        NOTHING("DynamicUser", SANDBOX),
        FOLLOWED("Environment", environment, environment),
        FOLLOWED("EnvironmentFile", environment_file, environment_files),
        FOLLOWED("ExecCondition", exec, commands[SERVICE_EXEC_CONDITION]),
        NOTHING("ExecPaths", SANDBOX),
        FOLLOWED("ExecReload", exec, commands[SERVICE_EXEC_RELOAD]),
        NOTHING("ExecSearchPath", PROCESS),
        FOLLOWED("ExecStart", exec, commands[SERVICE_EXEC_START]),
        FOLLOWED("ExecStartPost", exec, commands[SERVICE_EXEC_START_POST]),
        FOLLOWED("ExecStartPre", exec, commands[SERVICE_EXEC_START_PRE]),
        FOLLOWED("ExecStop", exec, commands[SERVICE_EXEC_STOP]),
        FOLLOWED("ExecStopPost", exec, commands[SERVICE_EXEC_STOP_POST]),
        CHECKED("ExitType", exit_type, PROCESS),
        NOTHING("ExtensionDirectories", SANDBOX),
        NOTHING("ExtensionImages", SANDBOX),
        CHECKED("FailureAction", no_action, ACTION),
        NOTHING("FileDescriptorStoreMax", NOTIFY),
        FOLLOWED("FinalKillSignal", signal, final_kill_signal),
        NOTHING("Group", PROCESS),
        NOTHING("GuessMainPID", FORKING),
        NOTHING("IOAccounting", CGROUP),
        NOTHING("IODeviceLatencyTargetSec", CGROUP),
        NOTHING("IODeviceWeight", CGROUP),
        NOTHING("IOReadBandwidthMax", CGROUP),
        NOTHING("IOReadIOPSMax", CGROUP),
        NOTHING("IOSchedulingClass", PROCESS),
        NOTHING("IOSchedulingPriority", PROCESS),
        NOTHING("IOWeight", CGROUP),
        NOTHING("IOWriteBandwidthMax", CGROUP),
        NOTHING("IOWriteIOPSMax", CGROUP),
        NOTHING("IPAccounting", CGROUP),
        NOTHING("IPAddressAllow", CGROUP),
        NOTHING("IPAddressDeny", CGROUP),
        NOTHING("IPCNamespacePath", SANDBOX),
        NOTHING("IPEgressFilterPath", CGROUP),
        NOTHING("IPIngressFilterPath", CGROUP),
        NOTHING("IgnoreSIGPIPE", PROCESS),
        NOTHING("InaccessibleDirectories", SANDBOX),
        NOTHING("InaccessiblePaths", SANDBOX),
        NOTHING("KeyringMode", SANDBOX),
        FOLLOWED("KillMode", kill_mode, kill_mode),
        FOLLOWED("KillSignal", signal, kill_signal),
        NOTHING("LimitAS", PROCESS),
        NOTHING("LimitCORE", PROCESS),
        NOTHING("LimitCPU", PROCESS),
        NOTHING("LimitDATA", PROCESS),
        NOTHING("LimitFSIZE", PROCESS),
        NOTHING("LimitLOCKS", PROCESS),
        NOTHING("LimitMEMLOCK", PROCESS),
        NOTHING("LimitMSGQUEUE", PROCESS),
        NOTHING("LimitNICE", PROCESS),
        NOTHING("LimitNOFILE", PROCESS),
        NOTHING("LimitNPROC", PROCESS),
        NOTHING("LimitRSS", PROCESS),
        NOTHING("LimitRTPRIO", PROCESS),
        NOTHING("LimitRTTIME", PROCESS),
        NOTHING("LimitSIGPENDING", PROCESS),
        NOTHING("LimitSTACK", PROCESS),
        NOTHING("LoadCredential", DIRECTORY),
        NOTHING("LoadCredentialEncrypted", DIRECTORY),
        NOTHING("LockPersonality", SANDBOX),
        NOTHING("LogExtraFields", OUTPUT),
        NOTHING("LogLevelMax", OUTPUT),
        NOTHING("LogNamespace", OUTPUT),
        NOTHING("LogRateLimitBurst", OUTPUT),
        NOTHING("LogRateLimitIntervalSec", OUTPUT),
        NOTHING("LogsDirectory", DIRECTORY),
        NOTHING("LogsDirectoryMode", DIRECTORY),
        NOTHING("ManagedOOMMemoryPressure", CGROUP),
        NOTHING("ManagedOOMMemoryPressureLimit", CGROUP),
        NOTHING("ManagedOOMPreference", CGROUP),
        NOTHING("ManagedOOMSwap", CGROUP),
        NOTHING("MemoryAccounting", CGROUP),
        NOTHING("MemoryDenyWriteExecute", SANDBOX),
        NOTHING("MemoryHigh", CGROUP),
        NOTHING("MemoryLimit", CGROUP),
        NOTHING("MemoryLow", CGROUP),
        NOTHING("MemoryMax", CGROUP),
        NOTHING("MemoryMin", CGROUP),
        NOTHING("MemorySwapMax", CGROUP),
        NOTHING("MountAPIVFS", SANDBOX),
        NOTHING("MountFlags", SANDBOX),
        NOTHING("MountImages", SANDBOX),
        NOTHING("NUMAMask", PROCESS),
        NOTHING("NUMAPolicy", PROCESS),
        NOTHING("NetClass", GONE),
        NOTHING("NetworkNamespacePath", SANDBOX),
        NOTHING("Nice", PROCESS),
        NOTHING("NoExecPaths", SANDBOX),
        NOTHING("NoNewPrivileges", SANDBOX),
        NOTHING("NonBlocking", NOTIFY),
        NOTHING("NotifyAccess", NOTIFY),
        NOTHING("OOMPolicy", CGROUP),
        NOTHING("OOMScoreAdjust", PROCESS),
        NOTHING("PAMName", PROCESS),
        NOTHING("PIDFile", FORKING),
        FOLLOWED("PassEnvironment", names, pass_environment),
        NOTHING("PermissionsStartOnly", PROCESS),
        NOTHING("Personality", SANDBOX),
        NOTHING("PrivateDevices", SANDBOX),
        NOTHING("PrivateIPC", SANDBOX),
        NOTHING("PrivateMounts", SANDBOX),
        NOTHING("PrivateNetwork", SANDBOX),
        NOTHING("PrivateTmp", SANDBOX),
        NOTHING("PrivateUsers", SANDBOX),
        NOTHING("ProcSubset", SANDBOX),
        NOTHING("ProtectClock", SANDBOX),
        NOTHING("ProtectControlGroups", SANDBOX),
        NOTHING("ProtectHome", SANDBOX),
        NOTHING("ProtectHostname", SANDBOX),
        NOTHING("ProtectKernelLogs", SANDBOX),
        NOTHING("ProtectKernelModules", SANDBOX),
        NOTHING("ProtectKernelTunables", SANDBOX),
        NOTHING("ProtectProc", SANDBOX),
        NOTHING("ProtectSystem", SANDBOX),
        NOTHING("ReadOnlyDirectories", SANDBOX),
        NOTHING("ReadOnlyPaths", SANDBOX),
        NOTHING("ReadWriteDirectories", SANDBOX),
        NOTHING("ReadWritePaths", SANDBOX),
        NOTHING("RebootArgument", ACTION),
        FOLLOWED("RemainAfterExit", bool, remain_after_exit),
        NOTHING("RemoveIPC", SANDBOX),
        FOLLOWED("Restart", restart, restart),
        FOLLOWED("RestartForceExitStatus", exit_set, restart_force),
        FOLLOWED("RestartKillSignal", signal, restart_kill_signal),
        FOLLOWED("RestartPreventExitStatus", exit_set, restart_prevent),
        FOLLOWED("RestartSec", span, restart_usec),
        NOTHING("RestrictAddressFamilies", SANDBOX),
        NOTHING("RestrictFileSystems", SANDBOX),
        NOTHING("RestrictNamespaces", SANDBOX),
        NOTHING("RestrictNetworkInterfaces", CGROUP),
        NOTHING("RestrictRealtime", SANDBOX),
        NOTHING("RestrictSUIDSGID", SANDBOX),
        NOTHING("RootDirectory", SANDBOX),
        NOTHING("RootDirectoryStartOnly", SANDBOX),
        NOTHING("RootHash", SANDBOX),
        NOTHING("RootHashSignature", SANDBOX),
        NOTHING("RootImage", SANDBOX),
        NOTHING("RootImageOptions", SANDBOX),
        NOTHING("RootVerity", SANDBOX),
        NOTHING("RuntimeDirectory", DIRECTORY),
        NOTHING("RuntimeDirectoryMode", DIRECTORY),
        NOTHING("RuntimeDirectoryPreserve", DIRECTORY),
        FOLLOWED("RuntimeMaxSec", span, runtime_max_usec),
        FOLLOWED("RuntimeRandomizedExtraSec", span, runtime_extra_usec),
        NOTHING("SELinuxContext", SANDBOX),
        NOTHING("SecureBits", SANDBOX),
        FOLLOWED("SendSIGHUP", bool, send_sighup),
        FOLLOWED("SendSIGKILL", bool, send_sigkill),
        NOTHING("SetCredential", DIRECTORY),
        NOTHING("SetCredentialEncrypted", DIRECTORY),
        NOTHING("Slice", CGROUP),
        NOTHING("SmackProcessLabel", SANDBOX),
        NOTHING("SocketBindAllow", CGROUP),
        NOTHING("SocketBindDeny", CGROUP),
        CHECKED("Sockets", refused, NOTIFY),
        NOTHING("StandardError", OUTPUT),
        CHECKED("StandardInput", standard_input, PROCESS),
        CHECKED("StandardInputData", refused, OUTPUT),
        CHECKED("StandardInputText", refused, OUTPUT),
        NOTHING("StandardOutput", OUTPUT),
        CHECKED("StartLimitAction", no_action, ACTION),
        FOLLOWED("StartLimitBurst", burst, start_limit_burst),
        FOLLOWED("StartLimitInterval", span, start_limit_interval_usec),
        NOTHING("StartupAllowedCPUs", CGROUP),
        NOTHING("StartupAllowedMemoryNodes", CGROUP),
        NOTHING("StartupBlockIOWeight", CGROUP),
        NOTHING("StartupCPUShares", CGROUP),
        NOTHING("StartupCPUWeight", CGROUP),
        NOTHING("StartupIOWeight", CGROUP),
        NOTHING("StateDirectory", DIRECTORY),
        NOTHING("StateDirectoryMode", DIRECTORY),
        FOLLOWED("SuccessExitStatus", exit_set, success),
        NOTHING("SupplementaryGroups", PROCESS),
        NOTHING("SysVStartPriority", GONE),
        NOTHING("SyslogFacility", OUTPUT),
        NOTHING("SyslogIdentifier", OUTPUT),
        NOTHING("SyslogLevel", OUTPUT),
        NOTHING("SyslogLevelPrefix", OUTPUT),
        NOTHING("SystemCallArchitectures", SANDBOX),
        NOTHING("SystemCallErrorNumber", SANDBOX),
        NOTHING("SystemCallFilter", SANDBOX),
        NOTHING("SystemCallLog", SANDBOX),
        NOTHING("TTYColumns", OUTPUT),
        NOTHING("TTYPath", OUTPUT),
        NOTHING("TTYReset", OUTPUT),
        NOTHING("TTYRows", OUTPUT),
        NOTHING("TTYVHangup", OUTPUT),
        NOTHING("TTYVTDisallocate", OUTPUT),
        NOTHING("TasksAccounting", CGROUP),
        NOTHING("TasksMax", CGROUP),
        NOTHING("TemporaryFileSystem", SANDBOX),
        FOLLOWED("TimeoutAbortSec", timeout_abort, unit),
        NOTHING("TimeoutCleanSec", DIRECTORY),
        FOLLOWED("TimeoutSec", timeout_both, unit),
        FOLLOWED("TimeoutStartFailureMode", timeout_mode, timeout_start_mode),
        FOLLOWED("TimeoutStartSec", timeout_start, unit),
        FOLLOWED("TimeoutStopFailureMode", timeout_mode, timeout_stop_mode),
        FOLLOWED("TimeoutStopSec", timeout, timeout_stop_usec),
        NOTHING("TimerSlackNSec", PROCESS),
        FOLLOWED("Type", type, type),
        NOTHING("UMask", PROCESS),
        NOTHING("USBFunctionDescriptors", NOTIFY),
        NOTHING("USBFunctionStrings", NOTIFY),
        FOLLOWED("UnsetEnvironment", unset, unset_environment),
        NOTHING("User", PROCESS),
        NOTHING("UtmpIdentifier", PROCESS),
        NOTHING("UtmpMode", PROCESS),
        FOLLOWED("WatchdogSec", span, watchdog_usec),
        FOLLOWED("WatchdogSignal", signal, watchdog_signal),
        NOTHING("WorkingDirectory", PROCESS),
};

static const ServiceKey unit_keys[] = {
        NOTHING("After", RELATION),
        NOTHING("AllowIsolate", MANAGER),
        FOLLOWED("AssertACPower", condition, conditions),
        FOLLOWED("AssertArchitecture", condition, conditions),
        FOLLOWED("AssertCPUFeature", condition, conditions),
        FOLLOWED("AssertCPUPressure", condition, conditions),
        FOLLOWED("AssertCPUs", condition, conditions),
        FOLLOWED("AssertCapability", condition, conditions),
        FOLLOWED("AssertControlGroupController", condition, conditions),
        FOLLOWED("AssertCredential", condition, conditions),
        FOLLOWED("AssertDirectoryNotEmpty", condition, conditions),
        FOLLOWED("AssertEnvironment", condition, conditions),
        FOLLOWED("AssertFileIsExecutable", condition, conditions),
        FOLLOWED("AssertFileNotEmpty", condition, conditions),
        FOLLOWED("AssertFirstBoot", condition, conditions),
        FOLLOWED("AssertGroup", condition, conditions),
        FOLLOWED("AssertHost", condition, conditions),
        FOLLOWED("AssertIOPressure", condition, conditions),
        FOLLOWED("AssertKernelCommandLine", condition, conditions),
        FOLLOWED("AssertKernelVersion", condition, conditions),
        FOLLOWED("AssertMemory", condition, conditions),
        FOLLOWED("AssertMemoryPressure", condition, conditions),
        FOLLOWED("AssertNeedsUpdate", condition, conditions),
        FOLLOWED("AssertOSRelease", condition, conditions),
        FOLLOWED("AssertPathExists", condition, conditions),
        FOLLOWED("AssertPathExistsGlob", condition, conditions),
        FOLLOWED("AssertPathIsDirectory", condition, conditions),
        FOLLOWED("AssertPathIsEncrypted", condition, conditions),
        FOLLOWED("AssertPathIsMountPoint", condition, conditions),
        FOLLOWED("AssertPathIsReadWrite", condition, conditions),
        FOLLOWED("AssertPathIsSymbolicLink", condition, conditions),
        FOLLOWED("AssertSecurity", condition, conditions),
        FOLLOWED("AssertUser", condition, conditions),
        FOLLOWED("AssertVirtualization", condition, conditions),
        NOTHING("Before", RELATION),
        NOTHING("BindTo", RELATION),
        NOTHING("BindsTo", RELATION),
        NOTHING("CollectMode", WORDS),
        FOLLOWED("ConditionACPower", condition, conditions),
        FOLLOWED("ConditionArchitecture", condition, conditions),
        FOLLOWED("ConditionCPUFeature", condition, conditions),
        FOLLOWED("ConditionCPUPressure", condition, conditions),
        FOLLOWED("ConditionCPUs", condition, conditions),
        FOLLOWED("ConditionCapability", condition, conditions),
        FOLLOWED("ConditionControlGroupController", condition, conditions),
        FOLLOWED("ConditionCredential", condition, conditions),
        FOLLOWED("ConditionDirectoryNotEmpty", condition, conditions),
        FOLLOWED("ConditionEnvironment", condition, conditions),
        FOLLOWED("ConditionFileIsExecutable", condition, conditions),
        FOLLOWED("ConditionFileNotEmpty", condition, conditions),
        FOLLOWED("ConditionFirmware", condition, conditions),
        FOLLOWED("ConditionFirstBoot", condition, conditions),
        FOLLOWED("ConditionGroup", condition, conditions),
        FOLLOWED("ConditionHost", condition, conditions),
        FOLLOWED("ConditionIOPressure", condition, conditions),
        FOLLOWED("ConditionKernelCommandLine", condition, conditions),
        FOLLOWED("ConditionKernelVersion", condition, conditions),
        FOLLOWED("ConditionMemory", condition, conditions),
        FOLLOWED("ConditionMemoryPressure", condition, conditions),
        FOLLOWED("ConditionNeedsUpdate", condition, conditions),
        FOLLOWED("ConditionOSRelease", condition, conditions),
        FOLLOWED("ConditionPathExists", condition, conditions),
        FOLLOWED("ConditionPathExistsGlob", condition, conditions),
        FOLLOWED("ConditionPathIsDirectory", condition, conditions),
        FOLLOWED("ConditionPathIsEncrypted", condition, conditions),
        FOLLOWED("ConditionPathIsMountPoint", condition, conditions),
        FOLLOWED("ConditionPathIsReadWrite", condition, conditions),
        FOLLOWED("ConditionPathIsSymbolicLink", condition, conditions),
        FOLLOWED("ConditionSecurity", condition, conditions),
        FOLLOWED("ConditionUser", condition, conditions),
        FOLLOWED("ConditionVirtualization", condition, conditions),
        NOTHING("Conflicts", RELATION),
        NOTHING("DefaultDependencies", MANAGER),
        NOTHING("Description", WORDS),
        NOTHING("Documentation", WORDS),
        CHECKED("FailureAction", no_action, ACTION),
        NOTHING("FailureActionExitStatus", ACTION),
        NOTHING("IgnoreOnIsolate", MANAGER),
        NOTHING("IgnoreOnSnapshot", GONE),
        NOTHING("JobRunningTimeoutSec", MANAGER),
        CHECKED("JobTimeoutAction", no_action, ACTION),
        NOTHING("JobTimeoutRebootArgument", ACTION),
        NOTHING("JobTimeoutSec", MANAGER),
        NOTHING("JoinsNamespaceOf", RELATION),
        NOTHING("OnFailure", RELATION),
        NOTHING("OnFailureIsolate", MANAGER),
        NOTHING("OnFailureJobMode", MANAGER),
        NOTHING("OnSuccess", RELATION),
        NOTHING("OnSuccessJobMode", MANAGER),
        NOTHING("PartOf", RELATION),
        NOTHING("PropagateReloadFrom", RELATION),
        NOTHING("PropagateReloadTo", RELATION),
        NOTHING("PropagatesReloadTo", RELATION),
        NOTHING("PropagatesStopTo", RELATION),
        NOTHING("RebootArgument", ACTION),
        NOTHING("RefuseManualStart", MANAGER),
        NOTHING("RefuseManualStop", MANAGER),
        NOTHING("ReloadPropagatedFrom", RELATION),
        NOTHING("Requires", RELATION),
        NOTHING("RequiresMountsFor", RELATION),
        NOTHING("RequiresOverridable", GONE),
        NOTHING("Requisite", RELATION),
        NOTHING("RequisiteOverridable", GONE),
        NOTHING("SourcePath", WORDS),
        CHECKED("StartLimitAction", no_action, ACTION),
        FOLLOWED("StartLimitBurst", burst, start_limit_burst),
        FOLLOWED("StartLimitInterval", span, start_limit_interval_usec),
        FOLLOWED("StartLimitIntervalSec", span, start_limit_interval_usec),
        NOTHING("StopPropagatedFrom", RELATION),
        NOTHING("StopWhenUnneeded", MANAGER),
        CHECKED("SuccessAction", no_action, ACTION),
        NOTHING("SuccessActionExitStatus", ACTION),
        NOTHING("Upholds", RELATION),
        NOTHING("Wants", RELATION),
};

const ServiceKey *service_keys(const char *section, size_t *ret_n) {
        bool is_unit = str_eq(section, "Unit");

        assert(is_unit || str_eq(section, "Service"));
        *ret_n = is_unit ? ELEMENTSOF(unit_keys) : ELEMENTSOF(service_section_keys);
        return is_unit ? unit_keys : service_section_keys;
}

const ServiceKey *service_key_find(const char *section, const char *name) {
        size_t n;
        const ServiceKey *keys = service_keys(section, &n);

        for (size_t i = 0; i < n; i++)
                if (str_eq(keys[i].name, name))
                        return &keys[i];

        return NULL;
}

#define NEAREST_NAME_MAX 40
#define NEAREST_DISTANCE_MAX 2

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* How many characters must be changed, put in or left out (Levenshtein); case does not count. */
static size_t distance(const char *a, const char *b) {
        size_t row[NEAREST_NAME_MAX + 1], n = strlen(b);

        if (n > NEAREST_NAME_MAX || strlen(a) > NEAREST_NAME_MAX)
                return SIZE_MAX;

        for (size_t k = 0; k <= n; k++)
                row[k] = k;

        for (size_t i = 0; a[i]; i++) {
                size_t diagonal = row[0];

                row[0] = i + 1;
                for (size_t k = 0; k < n; k++) {
                        size_t change = diagonal + (lower(a[i]) == lower(b[k]) ? 0 : 1);

                        diagonal = row[k + 1];
                        row[k + 1] = MIN(row[k], row[k + 1]) + 1;
                        row[k + 1] = MIN(row[k + 1], change);
                }
        }
        return row[n];
}

const char *service_key_nearest(const char *section, const char *name) {
        size_t n, best = NEAREST_DISTANCE_MAX + 1;
        const ServiceKey *keys = service_keys(section, &n);
        const char *nearest = NULL;

        for (size_t i = 0; i < n; i++) {
                size_t d = distance(name, keys[i].name);

                if (d < best) {
                        best = d;
                        nearest = keys[i].name;
                }
        }
        return nearest;
}
