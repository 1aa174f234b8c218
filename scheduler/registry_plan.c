#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/*
 * The leader's writes: plans, and the leader key itself. Each transaction of a plan compares the create
 * revision of the leader key, so that a deposed leader changes nothing.
 */

/* One operation of a plan. All of one unit (its move above all) go into one transaction if it can hold them. */
typedef struct PlanOp {
        const char *unit;
        const RegistryPlacement *put, *removed;
        const RegistryReason *reason;
} PlanOp;

static int order_ops(const void *a, const void *b) {
        const PlanOp *x = a, *y = b;
        const RegistryPlacement *p = x->put ? x->put : x->removed,
                                *q = y->put ? y->put : y->removed;
        int order = strcmp(x->unit, y->unit);

        if (order != 0)
                return order;
        if (!p || !q)
                return (p != NULL) - (q != NULL);
        order = strcmp(p->machine, q->machine);
        return order != 0 ? order : (x->put != NULL) - (y->put != NULL);
}

static PlanOp *collect_ops(const RegistryPlan *plan, size_t *ret_n) {
        size_t n = plan->n_put + plan->n_removed + plan->n_reasons, at = 0;
        PlanOp *ops = mem_new_array(PlanOp, n);

        if (!ops)
                return NULL;

        for (size_t i = 0; i < plan->n_removed; i++)
                ops[at++] = (PlanOp){ .unit = plan->removed[i].unit, .removed = &plan->removed[i] };
        for (size_t i = 0; i < plan->n_put; i++)
                ops[at++] = (PlanOp){ .unit = plan->put[i].unit, .put = &plan->put[i] };
        for (size_t i = 0; i < plan->n_reasons; i++)
                ops[at++] = (PlanOp){ .unit = plan->reasons[i].unit, .reason = &plan->reasons[i] };
        if (n > 1)
                qsort(ops, n, sizeof(PlanOp), order_ops);
        *ret_n = n;
        return ops;
}

static int add_op(Registry *r, RegistryTxn *t, const PlanOp *op) {
        if (op->removed)
                return registry_txn_delete(t, registry_key(r, "schedule/", op->removed->machine,
                                                           op->unit));
        if (op->put)
                return registry_txn_put(t, registry_key(r, "schedule/", op->put->machine, op->unit),
                                        registry_placement_format(op->put), 0);
        if (op->reason->text)
                return registry_txn_put(t, registry_key(r, "reason/", op->unit, NULL),
                                        registry_reason_format(op->reason->text), 0);
        return registry_txn_delete(t, registry_key(r, "reason/", op->unit, NULL));
}

/* Removed and put in one place: the put counts. */
static bool is_undone(const PlanOp *op, const PlanOp *next) {
        return op->removed && next->put && strcmp(op->unit, next->unit) == 0 &&
               strcmp(op->removed->machine, next->put->machine) == 0;
}

static RegistryTxn *fenced_txn(Registry *r, RegistryBatch *b, int64_t leader_revision) {
        RegistryTxn *t = registry_batch_add(b);

        if (!t ||
            registry_txn_compare(t, registry_key(r, "leader", "", NULL),
                                 STORE_COMPARE_CREATE_REVISION, STORE_EQUAL, leader_revision) < 0)
                return NULL;
        return t;
}

static int fill_batch(Registry *r, RegistryBatch *b, const PlanOp *ops, size_t n,
                      int64_t leader_revision) {
        RegistryTxn *t = NULL;

        for (size_t i = 0; i < n;) {
                size_t end = i + 1;

                while (end < n && strcmp(ops[end].unit, ops[i].unit) == 0)
                        end++;
                if (!t || t->n_ops + (end - i) > STORE_TXN_OPS_MAX)
                        t = fenced_txn(r, b, leader_revision);
                for (; i < end; i++) {
                        if (t && t->n_ops == STORE_TXN_OPS_MAX) /* a global on very many machines */
                                t = fenced_txn(r, b, leader_revision);
                        if (i + 1 < end && is_undone(&ops[i], &ops[i + 1]))
                                continue;
                        if (!t || add_op(r, t, &ops[i]) < 0)
                                return -ENOMEM;
                }
        }
        return 0;
}

int registry_plan_apply(Registry *r, const RegistryPlan *plan, int64_t leader_revision,
                        RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr) {
        RegistryBatch *b = registry_batch_new();
        _cleanup_free_ PlanOp *ops = NULL;
        size_t n = 0;

        ops = collect_ops(plan, &n);
        if (!b || !ops || fill_batch(r, b, ops, n, leader_revision) < 0) {
                registry_batch_free(b);
                return error_fill(reterr, -ENOMEM);
        }
        return registry_batch_run(r, b, fn, userdata, ret, reterr);
}
