#pragma once

// System calls that Swift cannot see or call: variadic ones, those without a wrapper in libc, and flags behind _GNU_SOURCE.
// Every function returns what the call returned, or the negated errno: nothing between a call and its errno can disturb it.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Flags for `linux_openat2`; all of them with O_CLOEXEC, none that follows a symlink in the last place.
extern const int linux_open_path;       // a place in the tree, neither readable nor writable
extern const int linux_open_directory;  // a readable directory
extern const int linux_open_read;       // a readable file; a FIFO does not block
extern const int linux_open_unnamed;    // O_TMPFILE: a writable file without a name
extern const int linux_open_create;     // a new writable file; fails when the name exists

/// How `linux_openat2` walks: below the directory, without symlinks, magic links or mount points.
extern const uint64_t linux_resolve_contained;
/// As `linux_resolve_contained`, and only as far as it is possible without I/O; -EAGAIN otherwise.
extern const uint64_t linux_resolve_cached;

int linux_openat2(int directory, const char *path, int flags, unsigned int mode, uint64_t resolve);
int linux_openat(int directory, const char *path, int flags, unsigned int mode);
int linux_linkat_descriptor(int file, int directory, const char *name);
int linux_linkat(int source_directory, const char *source, int directory, const char *name);
int linux_mkdirat(int directory, const char *path, unsigned int mode);
int linux_unlinkat(int directory, const char *name);
int linux_fsync(int file);
int linux_fallocate_ahead(int file, int64_t offset, int64_t length);
int linux_start_writeback(int file, int64_t offset, int64_t length);
int linux_will_need(int file, int64_t offset, int64_t length);
ssize_t linux_write(int file, const void *bytes, size_t count);
ssize_t linux_pread(int file, void *bytes, size_t count, int64_t offset);
/// Only what the page cache holds; -EAGAIN when that is nothing.
ssize_t linux_pread_cached(int file, void *bytes, size_t count, int64_t offset);

/// What is asked of a file's inode.
struct linux_status {
    int64_t size;
    int64_t modified;  // seconds since 1970
    uint64_t device;
    uint32_t owner;
    uint32_t permissions;  // the lowest twelve bits of the mode
    int32_t is_file;
    int32_t is_directory;
};
int linux_status(int file, struct linux_status *status);
/// Of a name in a directory; a symlink is not followed.
int linux_status_at(int directory, const char *name, struct linux_status *status);
/// The bytes that an ordinary user may still write to the file system.
int linux_available_bytes(int file, int64_t *available);

/// The names in a directory, one after the other.
struct linux_listing;
/// Begins a listing; NULL with the negated errno in `failure`.
struct linux_listing *linux_listing_open(int directory, int *failure);
/// 1 with the next name, which is valid until the next call; 0 at the end.
int linux_listing_next(struct linux_listing *listing, const char **name, size_t *length);
void linux_listing_close(struct linux_listing *listing);
