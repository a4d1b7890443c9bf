//! The C library's user database, time zone and early writeback: the only unsafe code of this crate.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Longest record of the user database that is read.
const MAX_RECORD_BYTES: usize = 1 << 20;
/// Most groups of one user.
const MAX_GROUPS: usize = 65_536;

/// The login name of a user id, if the user database knows one.
pub(crate) fn user_name(uid: u32) -> Option<String> {
    let (mut record, mut buffer) = (MaybeUninit::<libc::passwd>::uninit(), vec![0; 1_024]);
    loop {
        let mut found = ptr::null_mut();
        // SAFETY: record and buffer live through the call, and the length given is the buffer's own.
        let code = unsafe {
            libc::getpwuid_r(
                uid,
                record.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        if code == libc::ERANGE && buffer.len() < MAX_RECORD_BYTES {
            buffer.resize(buffer.len() * 4, 0);
            continue;
        }
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: found points to the record, which the call has filled; pw_name points into the buffer.
        return Some(unsafe { text((*found).pw_name) });
    }
}

/// Names of the groups of a user, the primary one first; `None` for an unknown user.
pub(crate) fn groups_of(user: &str) -> Option<Vec<String>> {
    let name = CString::new(user).ok()?;
    let primary = primary_group(&name)?;
    let mut ids = vec![0; 64];
    loop {
        let mut count = i32::try_from(ids.len()).ok()?;
        // SAFETY: name ends with a zero, and count is the length of ids.
        let code =
            unsafe { libc::getgrouplist(name.as_ptr(), primary, ids.as_mut_ptr(), &raw mut count) };
        let count = usize::try_from(count).ok()?;
        if code >= 0 {
            ids.truncate(count);
            break;
        }
        if ids.len() >= MAX_GROUPS {
            return None;
        }
        ids.resize(count.max(ids.len() * 2), 0);
    }
    Some(ids.into_iter().filter_map(group_name).collect())
}

fn primary_group(user: &CStr) -> Option<libc::gid_t> {
    let (mut record, mut buffer) = (MaybeUninit::<libc::passwd>::uninit(), vec![0; 1_024]);
    loop {
        let mut found = ptr::null_mut();
        // SAFETY: all pointers live through the call, and the length given is the buffer's own.
        let code = unsafe {
            libc::getpwnam_r(
                user.as_ptr(),
                record.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        if code == libc::ERANGE && buffer.len() < MAX_RECORD_BYTES {
            buffer.resize(buffer.len() * 4, 0);
            continue;
        }
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: found points to the record, which the call has filled.
        return Some(unsafe { (*found).pw_gid });
    }
}

fn group_name(gid: libc::gid_t) -> Option<String> {
    let (mut record, mut buffer) = (MaybeUninit::<libc::group>::uninit(), vec![0; 1_024]);
    loop {
        let mut found = ptr::null_mut();
        // SAFETY: record and buffer live through the call, and the length given is the buffer's own.
        let code = unsafe {
            libc::getgrgid_r(
                gid,
                record.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        if code == libc::ERANGE && buffer.len() < MAX_RECORD_BYTES {
            buffer.resize(buffer.len() * 4, 0);
            continue;
        }
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: found points to the record, which the call has filled; gr_name points into the buffer.
        return Some(unsafe { text((*found).gr_name) });
    }
}

/// A C string as text.
///
/// # Safety
/// `pointer` must point to a string that ends with a zero and lives through this call.
unsafe fn text(pointer: *const libc::c_char) -> String {
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_with_its_group() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(groups_of("root").unwrap()[0], "root");
        assert_eq!(groups_of("no-such-user-here"), None);
        assert_eq!(groups_of("a\0b"), None);
    }
}
