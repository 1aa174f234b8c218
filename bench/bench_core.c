#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "scheduler/core/core.h"

/*
 * What the placement core costs: `bench_core [units machines]`. Without arguments the two sizes of the
 * budget table: 5,000 units on 100 machines, and 100,000 with constraints on 5,000.
 */

static Requirements *requirements(size_t i, char *glob, size_t size) {
        Requirements *q = mem_new(Requirements);

        if (i % 4 == 1) {
                q->metadata = mem_new_array(RequiredMetadata, 1);
                q->n_metadata = 1;
                q->metadata[0].key = str_dup("zone");
                (void) strv_push_printf(&q->metadata[0].values, "%zu", i % 10);
        }
        if (i % 4 == 2) {
                (void) snprintf(glob, size, "app%zu@*.service", i / 100);
                (void) strv_push(&q->conflicts, glob);
        }
        return q;
}

static void set_unit(Core *c, size_t i, DesiredState desired) {
        char name[64], glob[64], hash[SHA1_HEX_SIZE];
        Requirements *q = requirements(i, glob, sizeof(glob));

        (void) snprintf(name, sizeof(name), "app%zu@%zu.service", i / 100, i % 100);
        (void) snprintf(hash, sizeof(hash), "%040zu", i % 4);
        if (core_unit_set(c, name, hash, desired, 0, q) < 0)
                abort();
        requirements_free(q);
}

static double milliseconds(uint64_t since) {
        return (double) (clock_boottime_usec() - since) / 1000;
}

static size_t plan(Core *c) {
        CorePlan *p = NULL;
        size_t n;

        if (core_plan(c, &p) < 0)
                abort();
        n = p->n_steps;
        core_plan_free(p);
        return n;
}

static void set_machines(Core *c, size_t n) {
        for (size_t i = 0; i < n; i++) {
                char id[40], zone[16];
                Machine *m;

                (void) snprintf(id, sizeof(id), "%032zx", i * 2654435761U);
                (void) snprintf(zone, sizeof(zone), "%zu", i % 10);
                m = machine_new(id);
                if (metadata_set(&m->metadata, "zone", zone) < 0 || core_machine_set(c, m) < 0)
                        abort();
                machine_free(m);
        }
}

static void run(size_t units, size_t machines) {
        uint64_t at = clock_boottime_usec(), events = 1000;
        struct rusage usage;
        Core *c = NULL;
        size_t steps;
        char id[40];

        if (core_new(NULL, NULL, &c) < 0)
                abort();
        set_machines(c, machines);
        for (size_t i = 0; i < units; i++)
                set_unit(c, i, DESIRED_LAUNCHED);
        (void) printf("%zu units, %zu machines\n  fed in             %9.2f ms\n", units, machines,
                      milliseconds(at));

        at = clock_boottime_usec();
        steps = plan(c);
        (void) printf("  placed from empty  %9.2f ms (%zu steps)\n", milliseconds(at), steps);

        at = clock_boottime_usec();
        core_mark_all(c);
        steps = plan(c);
        (void) printf("  full pass          %9.2f ms (%zu steps)\n", milliseconds(at), steps);

        at = clock_boottime_usec();
        for (size_t i = 0; i < events; i++) {
                set_unit(c, i * 7 % units, i % 2 ? DESIRED_LAUNCHED : DESIRED_INACTIVE);
                (void) plan(c);
        }
        (void) printf("  an event           %9.3f ms (mean of %zu)\n",
                      milliseconds(at) / (double) events, (size_t) events);

        at = clock_boottime_usec();
        (void) snprintf(id, sizeof(id), "%032zx", (size_t) 7 * 2654435761U);
        if (core_machine_remove(c, id) < 0)
                abort();
        steps = plan(c);
        (void) printf("  a machine lost     %9.2f ms (%zu steps)\n", milliseconds(at), steps);
        (void) getrusage(RUSAGE_SELF, &usage);
        (void) printf("  resident, at most  %9.1f MiB\n", (double) usage.ru_maxrss / 1024);
        core_free(c);
}

int main(int argc, char **argv) {
        if (argc == 3) {
                run(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
                return EXIT_SUCCESS;
        }
        run(5000, 100);
        run(100000, 5000);
        return EXIT_SUCCESS;
}
