/* Preloaded into a server: every fsync takes a millisecond longer, as on a disk that has to write what it acknowledges. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int after_a_millisecond(const char *name, int descriptor) {
    const struct timespec millisecond = {0, 1000000};
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    nanosleep(&millisecond, 0);
    return sync(descriptor);
}

int fsync(int descriptor) { return after_a_millisecond("fsync", descriptor); }

int fdatasync(int descriptor) { return after_a_millisecond("fdatasync", descriptor); }
