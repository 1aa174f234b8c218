/*
 * Registry: typed documents over the store's keys (DESIGN.md "Keys"): units, contents, placements,
 * states, machines, metadata, reasons.
 *
 * The only module that knows key names and document formats. A malformed document (somebody wrote it by
 * hand) is skipped, reported once through `malformed_fn`, and harms nothing else. All answers come
 * from the loop, never from inside the call.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/map.h"
#include "scheduler/store/store.h"
#include "specs/machine.h"
#include "specs/unit_file.h"
#include "specs/unit_state.h"

typedef struct Registry Registry;
typedef struct RegistryCall RegistryCall;
typedef struct RegistryFollow RegistryFollow;

/* unit/<name>: what the user wants. */
typedef struct RegistryUnit {
        char *name;
        char hash[SHA1_HEX_SIZE];
        DesiredState desired;
        uint64_t generation; /* raised to ask for a restart on the spot */
        int64_t revision;    /* to compare with when changing it; 0 = does not exist */
} RegistryUnit;

/* schedule/<machine>/<unit>: what that machine shall run. */
typedef struct RegistryPlacement {
        char *unit;
        char *machine;
        char hash[SHA1_HEX_SIZE];
        DesiredState desired;
        uint64_t generation;
} RegistryPlacement;

typedef struct RegistryReason {
        char *unit;
        char *text;
} RegistryReason;

/* Kinds of documents; a mask where many are meant. */
typedef enum RegistryKind {
        REGISTRY_UNIT = 1 << 0,
        REGISTRY_CONTENT = 1 << 1, /* those that the units read refer to */
        REGISTRY_PLACEMENT = 1 << 2,
        REGISTRY_STATE = 1 << 3,
        REGISTRY_MACHINE = 1 << 4, /* with patched metadata merged in */
        REGISTRY_REASON = 1 << 5,
        REGISTRY_LEADER = 1 << 6, /* to follow only */
} RegistryKind;

/* Malformed keys that are remembered as reported; beyond that all are reported again. */
#define REGISTRY_MALFORMED_MAX 1024

/* Times that a change of metadata is tried when others change it, too. */
#define REGISTRY_METADATA_TRIES 8

/* Everything asked for at one revision. Arrays are sorted by unit, then machine (machines: by id). */
typedef struct RegistrySnapshot {
        int64_t revision;
        RegistryUnit *units;
        size_t n_units;
        Map *contents; /* hash -> serialised text (char *); NULL unless asked for */
        RegistryPlacement *placements;
        size_t n_placements;
        UnitState **states;
        size_t n_states;
        Machine **machines;
        size_t n_machines;
        RegistryReason *reasons;
        size_t n_reasons;
} RegistrySnapshot;

RegistrySnapshot *registry_snapshot_free(RegistrySnapshot *s); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(RegistrySnapshot, registry_snapshot_free);

/* Look-ups by binary search; borrowed, NULL if there is none. Placement: the first machine's. */
const RegistryUnit *registry_snapshot_unit(const RegistrySnapshot *s, const char *name);
const RegistryPlacement *registry_snapshot_placement(const RegistrySnapshot *s, const char *unit);
const UnitState *registry_snapshot_state(const RegistrySnapshot *s, const char *unit,
                                         const char *machine);
const char *registry_snapshot_reason(const RegistrySnapshot *s, const char *unit);

typedef struct RegistryOptions {
        const char *prefix; /* etcd_key_prefix */
        void (*malformed_fn)(const char *key, const Error *error, void *userdata); /* may be NULL */
        void *userdata;
} RegistryOptions;

/* The store is borrowed and must outlive it. The caller owns *ret. */
int registry_new(Store *store, const RegistryOptions *options, Registry **ret);
Registry *registry_free(Registry *r); /* cancels everything; accepts NULL, returns NULL */
DEFINE_CLEANUP(Registry, registry_free);

/* Cancels the answer, not what was asked. Accepts NULL, returns NULL. */
RegistryCall *registry_call_free(RegistryCall *c);
DEFINE_CLEANUP(RegistryCall, registry_call_free);

/* r < 0: failed, snapshot is NULL. The callback takes the snapshot. */
typedef void (*RegistryReadFn)(int r, RegistrySnapshot *snapshot, const Error *error,
                               void *userdata);

/*
 * Reads the kinds of `mask`; with unit != NULL only what concerns that unit (its content, placements,
 * states, reason; all machines if asked for). The caller owns *ret.
 *
 * One unit's placements are found by point reads, below the machines that are registered or report a
 * state of it. A placement on a machine that is neither, because it was lost a moment ago and its units
 * have not moved yet, shows in the reading of all units only.
 */
int registry_read(Registry *r, unsigned mask, const char *unit, RegistryReadFn fn, void *userdata,
                  RegistryCall **ret, Error *reterr);

/* r: 0 = done; REGISTRY_CONFLICT = it was changed by somebody else meanwhile, nothing was done; < 0. */
#define REGISTRY_CONFLICT 1
typedef void (*RegistryWriteFn)(int r, int64_t revision, const Error *error, void *userdata);

/*
 * Creates or replaces a unit with this content. expected_revision: 0 = it must not exist, else the
 * revision it was read at. Content is stored once per hash. generation is given by the caller.
 */
int registry_unit_put(Registry *r, const RegistryUnit *unit, const char *content,
                      RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr);

/* Changes desired state (and generation) only; unit->revision is compared. */
int registry_unit_set(Registry *r, const RegistryUnit *unit, RegistryWriteFn fn, void *userdata,
                      RegistryCall **ret, Error *reterr);
int registry_unit_delete(Registry *r, const char *name, int64_t expected_revision,
                         RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr);

/* text is borrowed; NULL with r = -ENOENT if there is no such content. */
typedef void (*RegistryContentFn)(int r, const char *text, const Error *error, void *userdata);
int registry_content_get(Registry *r, const char *hash, RegistryContentFn fn, void *userdata,
                         RegistryCall **ret, Error *reterr);

/* The machine's own document, under its lease; replaces what is there. */
int registry_machine_put(Registry *r, const Machine *m, int64_t lease, RegistryWriteFn fn,
                         void *userdata, RegistryCall **ret, Error *reterr);
/* Removes the machine's document and all its states: what leaving the cluster means. */
int registry_machine_remove(Registry *r, const char *machine, RegistryWriteFn fn, void *userdata,
                            RegistryCall **ret, Error *reterr);

/* metadata/<id>: lays the patches over what was patched before; machines need not exist. */
typedef struct RegistryMetadataPatch {
        const char *machine;
        const Metadata *patch; /* "" = hide the configured key */
} RegistryMetadataPatch;
int registry_metadata_patch(Registry *r, const RegistryMetadataPatch *patches, size_t n,
                            RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr);

/* One machine's states, many at once; removed: units whose state goes away. Split into transactions as needed. */
int registry_states_put(Registry *r, const char *machine, UnitState *const *states, size_t n,
                        const char *const *removed, size_t n_removed, int64_t lease,
                        RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr);

/* What the leader decided. Applied in transactions that compare the leader key (fencing). */
typedef struct RegistryPlan {
        const RegistryPlacement *put; /* a unit that moves: its old machine is in `removed` */
        size_t n_put;
        const RegistryPlacement *removed; /* unit and machine count */
        size_t n_removed;
        const RegistryReason *reasons; /* text NULL = remove */
        size_t n_reasons;
} RegistryPlan;

/* leader_revision: create revision of the leader key we hold. REGISTRY_CONFLICT = we lead no more. */
int registry_plan_apply(Registry *r, const RegistryPlan *plan, int64_t leader_revision,
                        RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr);

/*
 * Garbage: hashes of contents that no unit and no placement referred to at seen_revision. Each is removed if
 * nobody has put it again since; registry_unit_put() always does. Fenced as a plan is.
 */
int registry_collect(Registry *r, const char *const *hashes, size_t n, int64_t seen_revision,
                     int64_t leader_revision, RegistryWriteFn fn, void *userdata,
                     RegistryCall **ret, Error *reterr);

/* All contents there are, by hash; borrowed. */
typedef void (*RegistryContentListFn)(int r, const char *const *hashes, size_t n,
                                      const Error *error, void *userdata);
int registry_content_list(Registry *r, RegistryContentListFn fn, void *userdata, RegistryCall **ret,
                          Error *reterr);

/*
 * leader: who acts. Creates the key if nobody holds it; holder is borrowed. What this machine itself
 * holds, under an older lease of a process before us, is taken over with a new create revision, so
 * that what the old one still has under way is fenced off.
 */
typedef void (*RegistryLeaderFn)(int r, const char *holder, int64_t create_revision,
                                 const Error *error, void *userdata);
int registry_leader_acquire(Registry *r, const char *machine, const char *version, int64_t lease,
                            RegistryLeaderFn fn, void *userdata, RegistryCall **ret, Error *reterr);
int registry_leader_release(Registry *r, const char *machine, RegistryWriteFn fn, void *userdata,
                            RegistryCall **ret, Error *reterr);

/* One document that came, changed or went. Only the member of its kind is set; all borrowed. */
typedef struct RegistryChange {
        RegistryKind kind;
        bool deleted;
        const char *unit;             /* units, placements, states, reasons */
        const char *machine;          /* placements, states, machines */
        const RegistryUnit *unit_doc; /* NULL when deleted; so below */
        const RegistryPlacement *placement;
        const UnitState *state;
        const Machine *machine_doc; /* metadata merged */
        const char *reason;
        int64_t leader_revision; /* create revision of the leader key; its holder is `machine` */
} RegistryChange;

typedef struct RegistryFollowHandler {
        /*
         * snapshot: `changes` hold all there is at `revision`; what is not among them is not there. It comes
         * first, and again whenever the watch had to start over. Else: what changed since the last call.
         */
        void (*changed)(RegistryFollow *f, bool snapshot, const RegistryChange *changes, size_t n,
                        int64_t revision, void *userdata);
        /*
         * May be NULL. This document is there but cannot be read: whoever acts on absence must leave alone
         * what it is about. Called before the changed() of the same moment; must not free f.
         */
        void (*malformed)(RegistryFollow *f, RegistryKind kind, const char *unit,
                          const char *machine, void *userdata);
} RegistryFollowHandler;

/*
 * Follows the kinds of `mask` (not REGISTRY_CONTENT); machine != NULL: placements of that machine only.
 * Failed reads are tried again with a backoff for as long as it lives. The caller owns *ret; `handler`
 * must outlive it.
 */
int registry_follow(Registry *r, sd_event *event, unsigned mask, const char *machine,
                    const RegistryFollowHandler *handler, void *userdata, RegistryFollow **ret,
                    Error *reterr);
RegistryFollow *registry_follow_free(RegistryFollow *f); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(RegistryFollow, registry_follow_free);

Store *registry_store(Registry *r); /* borrowed: for leases and contact */
