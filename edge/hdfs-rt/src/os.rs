//! The C library's time zone and heap, and early writeback; with `mapped`, the only unsafe code of this crate.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A moment in the local time zone: year, month, day, hour, minute, second.
pub(crate) fn local_time(seconds_since_1970: i64) -> [i32; 6] {
    let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers live through the call; an all-zero tm is a valid value, should the call fail.
    let tm = unsafe {
        libc::localtime_r(&raw const seconds_since_1970, broken_down.as_mut_ptr());
        broken_down.assume_init()
    };
    [tm.tm_year + 1_900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec]
}

/// Starts to write dirty pages of a range of a file to the disk; waits for nothing but room in the disk's queue.
pub(crate) fn start_writeback(file: BorrowedFd<'_>, offset: i64, length: i64) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as it is borrowed, and no memory is passed.
    let code = unsafe {
        libc::sync_file_range(file.as_raw_fd(), offset, length, libc::SYNC_FILE_RANGE_WRITE)
    };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives free memory of the heap back to the kernel. Only glibc keeps it and can be asked.
#[cfg(target_env = "gnu")]
pub(crate) fn trim_heap() {
    // SAFETY: it takes a number, and locks what it changes itself.
    unsafe { libc::malloc_trim(0) };
}

/// Gives free memory of the heap back to the kernel. Only glibc keeps it and can be asked.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn trim_heap() {}

/// Lets glibc keep at most so many bytes of free memory at the end of each heap, and take what is larger than `apart`
/// from the kernel alone. By itself it keeps more the more a thread ever freed at once.
#[cfg(target_env = "gnu")]
pub(crate) fn limit_free_heap(apart: i32, kept: i32) {
    // SAFETY: it takes numbers, and locks what it changes itself.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, apart);
        libc::mallopt(libc::M_TRIM_THRESHOLD, kept);
    }
}

/// Lets glibc join free memory at once. By itself it puts small pieces aside until a large one is freed and joins them all
/// then, which takes 0.1 s and more after millions of frees, within whatever call happens to come last.
#[cfg(target_env = "gnu")]
pub(crate) fn join_free_heap_at_once() {
    // SAFETY: it takes numbers, and locks what it changes itself.
    unsafe { libc::mallopt(libc::M_MXFAST, 0) };
}

/// Only glibc puts free memory aside.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn join_free_heap_at_once() {}

/// Lets glibc keep at most so many bytes of free memory at the end of each heap.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn limit_free_heap(_apart: i32, _kept: i32) {}
