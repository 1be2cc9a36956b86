/* What libfaketime 0.9.10 leaves out or breaks, for `make test-clock`. The times of files shift with the clock, however
   they are asked for, or every new file seems months old. The monotonic clock is left true: sleeps by it end, and waits
   with a timeout last as long as asked, where libfaketime lets them end at once or never.
   CLOCK_SHIFT is the shift in seconds. Linux on 64 bits, glibc 2.30 or later. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static long shift(void) {
  const char *told = getenv("CLOCK_SHIFT");
  return told ? atol(told) : 0;
}

/* --- times of files, told ------------------------------------------------------------------------------------- */

static int told_of(int folder, const char *path, void *found, int flags) {
  if (syscall(SYS_newfstatat, folder, path, found, flags) != 0) return -1;
  struct stat *s = found;
  s->st_atim.tv_sec += shift();
  s->st_mtim.tv_sec += shift();
  s->st_ctim.tv_sec += shift();
  return 0;
}

int stat(const char *path, struct stat *s) { return told_of(AT_FDCWD, path, s, 0); }
int stat64(const char *path, struct stat64 *s) { return told_of(AT_FDCWD, path, s, 0); }
int lstat(const char *path, struct stat *s) { return told_of(AT_FDCWD, path, s, AT_SYMLINK_NOFOLLOW); }
int lstat64(const char *path, struct stat64 *s) { return told_of(AT_FDCWD, path, s, AT_SYMLINK_NOFOLLOW); }
int fstat(int file, struct stat *s) { return told_of(file, "", s, AT_EMPTY_PATH); }
int fstat64(int file, struct stat64 *s) { return told_of(file, "", s, AT_EMPTY_PATH); }
int fstatat(int folder, const char *path, struct stat *s, int flags) { return told_of(folder, path, s, flags); }
int fstatat64(int folder, const char *path, struct stat64 *s, int flags) { return told_of(folder, path, s, flags); }
int __xstat(int v, const char *path, struct stat *s) { return told_of(AT_FDCWD, path, s, 0); }
int __xstat64(int v, const char *path, struct stat64 *s) { return told_of(AT_FDCWD, path, s, 0); }
int __lxstat(int v, const char *path, struct stat *s) { return told_of(AT_FDCWD, path, s, AT_SYMLINK_NOFOLLOW); }
int __lxstat64(int v, const char *path, struct stat64 *s) { return told_of(AT_FDCWD, path, s, AT_SYMLINK_NOFOLLOW); }
int __fxstat(int v, int file, struct stat *s) { return told_of(file, "", s, AT_EMPTY_PATH); }
int __fxstat64(int v, int file, struct stat64 *s) { return told_of(file, "", s, AT_EMPTY_PATH); }

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *s) {
  if (syscall(SYS_statx, folder, path, flags, mask, s) != 0) return -1;
  s->stx_atime.tv_sec += shift();
  s->stx_btime.tv_sec += shift();
  s->stx_ctime.tv_sec += shift();
  s->stx_mtime.tv_sec += shift();
  return 0;
}

/* --- times of files, set -------------------------------------------------------------------------------------- */

static int set(int folder, const char *path, const struct timespec *times, int flags) {
  struct timespec true_times[2];
  for (int i = 0; times && i < 2; i++) {
    int is_a_time = times[i].tv_nsec != UTIME_NOW && times[i].tv_nsec != UTIME_OMIT;
    true_times[i] = times[i];
    true_times[i].tv_sec -= is_a_time ? shift() : 0;
  }
  return syscall(SYS_utimensat, folder, path, times ? true_times : NULL, flags);
}

int utimensat(int folder, const char *path, const struct timespec t[2], int flags) { return set(folder, path, t, flags); }
int futimens(int file, const struct timespec t[2]) { return set(file, NULL, t, 0); }

int utimes(const char *path, const struct timeval t[2]) {
  if (!t) return set(AT_FDCWD, path, NULL, 0);
  struct timespec times[2] = {{t[0].tv_sec, t[0].tv_usec * 1000}, {t[1].tv_sec, t[1].tv_usec * 1000}};
  return set(AT_FDCWD, path, times, 0);
}

int utime(const char *path, const struct utimbuf *t) {
  if (!t) return set(AT_FDCWD, path, NULL, 0);
  struct timespec times[2] = {{t->actime, 0}, {t->modtime, 0}};
  return set(AT_FDCWD, path, times, 0);
}

/* --- sleeps and waits ----------------------------------------------------------------------------------------- */

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *asked, struct timespec *left) {
  struct timespec true_time = *asked;
  if (clock == CLOCK_REALTIME && (flags & TIMER_ABSTIME)) true_time.tv_sec -= shift();
  return syscall(SYS_clock_nanosleep, clock, flags, &true_time, left) == 0 ? 0 : errno;
}

/* By its size, as a condition does not tell its clock: the monotonic one counts from the start of the machine. */
static clockid_t true_deadline(const struct timespec *asked, struct timespec *true_time) {
  clockid_t clock = asked->tv_sec > 1000000000 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  *true_time = *asked;
  true_time->tv_sec -= clock == CLOCK_REALTIME ? shift() : 0;
  return clock;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  struct timespec true_time;
  clockid_t clock = true_deadline(until, &true_time);
  return pthread_cond_clockwait(condition, mutex, clock, &true_time);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  struct timespec true_time;
  clockid_t clock = true_deadline(until, &true_time);
  return sem_clockwait(semaphore, clock, &true_time);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until) {
  struct timespec true_time;
  clockid_t clock = true_deadline(until, &true_time);
  return pthread_mutex_clocklock(mutex, clock, &true_time);
}
