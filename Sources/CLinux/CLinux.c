#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Constants of kernels newer than the headers that this may be built with.
#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif

const int linux_open_path = O_PATH | O_NOFOLLOW | O_CLOEXEC;
const int linux_open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const int linux_open_read = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
const int linux_open_unnamed = O_TMPFILE | O_RDWR | O_CLOEXEC;
const int linux_open_create = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC;

const uint64_t linux_resolve_contained =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
const uint64_t linux_resolve_cached =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV | RESOLVE_CACHED;

static inline int checked(long result) { return result < 0 ? -errno : (int)result; }

int linux_openat2(int directory, const char *path, int flags, unsigned int mode, uint64_t resolve) {
#ifdef SYS_openat2
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (uint64_t)(unsigned int)flags;
    how.mode = mode;
    how.resolve = resolve;
    // -EAGAIN without RESOLVE_CACHED: a rename elsewhere raced with the walk, and the kernel asks for another try.
    for (int attempt = 0;; attempt++) {
        long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (result >= 0) return (int)result;
        int again = errno == EINTR || (errno == EAGAIN && !(resolve & RESOLVE_CACHED) && attempt < 64);
        if (!again) return -errno;
    }
#else
    return -ENOSYS;
#endif
}

int linux_openat(int directory, const char *path, int flags, unsigned int mode) {
    int result;
    do result = openat(directory, path, flags, (mode_t)mode);
    while (result < 0 && errno == EINTR);
    return checked(result);
}

int linux_linkat_descriptor(int file, int directory, const char *name) {
    // AT_EMPTY_PATH needs a capability on older kernels; the way through /proc needs /proc.
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) == 0) return 0;
    if (errno != ENOENT) return -errno;
    return checked(linkat(file, "", directory, name, AT_EMPTY_PATH));
}

int linux_linkat(int source_directory, const char *source, int directory, const char *name) {
    return checked(linkat(source_directory, source, directory, name, 0));
}

int linux_mkdirat(int directory, const char *path, unsigned int mode) {
    return checked(mkdirat(directory, path, (mode_t)mode));
}

int linux_unlinkat(int directory, const char *name) { return checked(unlinkat(directory, name, 0)); }

// Once, whatever it says: after a failed fsync the kernel forgets what it could not write, and the next one succeeds.
int linux_fsync(int file) { return checked(fsync(file)); }

// Not posix_fallocate, which writes into every block where the file system cannot do it.
int linux_fallocate_ahead(int file, int64_t offset, int64_t length) {
    int result;
    do result = fallocate(file, FALLOC_FL_KEEP_SIZE, offset, length);
    while (result < 0 && errno == EINTR);
    return checked(result);
}

int linux_start_writeback(int file, int64_t offset, int64_t length) {
    return checked(sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE));
}

int linux_will_need(int file, int64_t offset, int64_t length) {
    return -posix_fadvise(file, offset, length, POSIX_FADV_WILLNEED);
}

ssize_t linux_write(int file, const void *bytes, size_t count) {
    ssize_t result;
    do result = write(file, bytes, count);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

ssize_t linux_pread(int file, void *bytes, size_t count, int64_t offset) {
    ssize_t result;
    do result = pread(file, bytes, count, offset);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

ssize_t linux_pread_cached(int file, void *bytes, size_t count, int64_t offset) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    ssize_t result = preadv2(file, &part, 1, offset, RWF_NOWAIT);
    return result < 0 ? -errno : result;
}

static int fill(int result, const struct stat *from, struct linux_status *status) {
    if (result < 0) return -errno;
    status->size = from->st_size;
    status->modified = from->st_mtim.tv_sec;
    status->device = from->st_dev;
    status->owner = from->st_uid;
    status->permissions = from->st_mode & 07777;
    status->is_file = S_ISREG(from->st_mode);
    status->is_directory = S_ISDIR(from->st_mode);
    return 0;
}

int linux_status(int file, struct linux_status *status) {
    struct stat from;
    int result = fstat(file, &from);
    return fill(result, &from, status);
}

int linux_status_at(int directory, const char *name, struct linux_status *status) {
    struct stat from;
    int result = fstatat(directory, name, &from, AT_SYMLINK_NOFOLLOW);
    return fill(result, &from, status);
}

int linux_available_bytes(int file, int64_t *available) {
    struct statvfs from;
    int result;
    do result = fstatvfs(file, &from);
    while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    unsigned __int128 bytes = (unsigned __int128)from.f_bavail * from.f_frsize;
    *available = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
    return 0;
}

struct linux_listing;

struct linux_listing *linux_listing_open(int directory, int *failure) {
    // A descriptor of its own, because the position in the directory belongs to the description.
    int own = linux_openat(directory, ".", linux_open_directory, 0);
    if (own < 0) {
        *failure = own;
        return NULL;
    }
    DIR *stream = fdopendir(own);
    if (stream == NULL) {
        *failure = -errno;
        close(own);
    }
    return (struct linux_listing *)stream;
}

int linux_listing_next(struct linux_listing *listing, const char **name, size_t *length) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir((DIR *)listing);
        if (entry == NULL) return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        *name = entry->d_name;
        *length = strlen(entry->d_name);
        return 1;
    }
}

void linux_listing_close(struct linux_listing *listing) { closedir((DIR *)listing); }
