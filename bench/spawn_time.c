/* spawn_time COMMAND ARG…: runs it and prints the microseconds until it ended, on stderr's sibling fd 3. */
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

int main(int argc, char **argv) {
        uint64_t started;
        pid_t pid;
        int status;

        if (argc < 2) {
                fprintf(stderr, "usage: spawn_time COMMAND ARG… 3>TIMES\n");
                return 2;
        }
        pid = bench_spawn(argv + 1, &started);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
                return 125;

        dprintf(3, "%llu\n", (unsigned long long) (bench_now_usec() - started));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
