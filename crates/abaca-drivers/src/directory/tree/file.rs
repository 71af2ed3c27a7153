//! The bytes of one file: shared by a reflink where the file system can, else copied with holes.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys;
use crate::CopyProgress;

/// Bytes copied between two looks at whether the caller is still there.
const CHUNK: usize = 16 << 20;
/// Buffer for file systems without copy_file_range.
const BUFFER: usize = 256 << 10;

/// How the bytes came into a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By a reflink: all bytes are those of one moment.
    Shared,
    /// Piece by piece.
    Copied,
}

/// Copies file contents and remembers which of the fast ways this file system refused.
pub(super) struct FileCopier<'a> {
    cancel: &'a Cancel,
    reflink: bool,
    in_kernel: bool,
    buffer: Vec<u8>,
    progress: Option<&'a CopyProgress>,
}

impl<'a> FileCopier<'a> {
    pub(super) fn new(cancel: &'a Cancel, progress: Option<&'a CopyProgress>) -> Self {
        Self { cancel, reflink: true, in_kernel: true, buffer: Vec::new(), progress }
    }

    fn tell(&self, bytes: u64) {
        if let Some(progress) = self.progress {
            progress.add_copied(bytes);
        }
    }

    /// Copies `size` bytes of `from` into the empty file `to`.
    pub(super) fn copy(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        size: u64,
        name: &CStr,
    ) -> FsResult<Way> {
        if size == 0 {
            return Ok(Way::Copied);
        }
        if self.try_reflink(from, to, name)? {
            self.tell(size);
            return Ok(Way::Shared);
        }
        let mut position = 0;
        while let Some((start, end)) = next_data(from, position, size, name)? {
            self.tell(start - position);
            self.copy_range(from, to, start, end, name)?;
            position = end;
        }
        self.tell(size - position);
        sys::change("set the size of", name, || rustix::fs::ftruncate(to, size))?;
        Ok(Way::Copied)
    }

    fn try_reflink(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &CStr,
    ) -> FsResult<bool> {
        if !self.reflink {
            return Ok(false);
        }
        match sys::change("reflink", name, || rustix::fs::ioctl_ficlone(to, from)) {
            Ok(()) => Ok(true),
            Err(error) => match error.errno() {
                Some(Errno::OPNOTSUPP | Errno::NOTTY | Errno::NOSYS | Errno::XDEV) => {
                    self.reflink = false;
                    Ok(false)
                }
                // This file can't (swap file, other attributes), the next one may.
                Some(Errno::INVAL | Errno::TXTBSY | Errno::PERM) => Ok(false),
                _ => Err(error),
            },
        }
    }

    fn copy_range(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        start: u64,
        end: u64,
        name: &CStr,
    ) -> FsResult<()> {
        let mut position = start;
        while position < end {
            self.cancel.check()?;
            let wanted = usize::try_from(end - position).unwrap_or(CHUNK).min(CHUNK);
            let copied = if self.in_kernel {
                self.copy_in_kernel(from, to, position, wanted, name)?
            } else {
                self.copy_through_buffer(from, to, position, wanted, name)?
            };
            match copied {
                Some(0) => break, // The file was cut meanwhile.
                Some(count) => {
                    position += count;
                    self.tell(count);
                }
                None => self.in_kernel = false,
            }
        }
        Ok(())
    }

    /// `None` when the file system can't do this.
    fn copy_in_kernel(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        position: u64,
        wanted: usize,
        name: &CStr,
    ) -> FsResult<Option<u64>> {
        let copied = sys::change("copy", name, || {
            let (mut source, mut target) = (position, position);
            rustix::fs::copy_file_range(from, Some(&mut source), to, Some(&mut target), wanted)
        });
        match copied {
            Ok(count) => Ok(Some(count as u64)),
            Err(error)
                if matches!(
                    error.errno(),
                    Some(Errno::OPNOTSUPP | Errno::NOSYS | Errno::XDEV | Errno::INVAL)
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn copy_through_buffer(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        position: u64,
        wanted: usize,
        name: &CStr,
    ) -> FsResult<Option<u64>> {
        self.buffer.resize(BUFFER, 0);
        let length = wanted.min(BUFFER);
        let read = sys::call("read", name, || {
            let buffer = self.buffer.get_mut(..length).unwrap_or_default();
            rustix::io::pread(from, buffer, position)
        })?;
        let content = self.buffer.get(..read).unwrap_or_default();
        let mut written = 0;
        while written < content.len() {
            let rest = content.get(written..).unwrap_or_default();
            let at = position + written as u64;
            written += sys::change("write", name, || rustix::io::pwrite(to, rest, at))?;
        }
        Ok(Some(read as u64))
    }
}

/// The next stretch of data from `position` on, cut at `size`. A file system that knows no holes
/// says that all is data.
pub(super) fn next_data(
    file: BorrowedFd<'_>,
    position: u64,
    size: u64,
    name: &CStr,
) -> FsResult<Option<(u64, u64)>> {
    if position >= size {
        return Ok(None);
    }
    let seek = |to| sys::call("seek in", name, || rustix::fs::seek(file, to));
    let start = match seek(SeekFrom::Data(position)) {
        Ok(start) => start,
        Err(error) => match error.errno() {
            Some(Errno::NXIO) => return Ok(None),
            Some(Errno::INVAL) => return Ok(Some((position, size))),
            _ => return Err(error),
        },
    };
    if start >= size {
        return Ok(None);
    }
    let end = match seek(SeekFrom::Hole(start)) {
        Ok(end) => end.min(size),
        Err(error) if error.errno() == Some(Errno::NXIO) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some((start, end)))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::{Cancel, FileCopier, FsResult, Way};
    use crate::directory::failure::FsError;

    const MIB: u64 = 1 << 20;

    /// Copies a file with holes at its start, within, and at its end.
    fn copy_with(copier: &mut FileCopier<'_>) -> (FsResult<Way>, Vec<u8>, Vec<u8>, u64) {
        let top = tempfile::tempdir().unwrap();
        let from = File::create_new(top.path().join("from")).unwrap();
        from.set_len(40 * MIB).unwrap();
        for (at, seed) in [(2 * MIB, 1), (30 * MIB + 5, 2)] {
            let data: Vec<u8> = (0..700_001_u32).map(|index| (index % 251) as u8 ^ seed).collect();
            from.write_all_at(&data, at).unwrap();
        }
        let from = File::open(top.path().join("from")).unwrap();
        let to = File::create_new(top.path().join("to")).unwrap();
        let way = copier.copy(from.as_fd(), to.as_fd(), 40 * MIB, c"from");
        to.sync_all().unwrap();
        let read = |name| fs::read(top.path().join(name)).unwrap();
        (way, read("from"), read("to"), to.metadata().unwrap().blocks() * 512)
    }

    #[test]
    fn every_way_gives_the_same_bytes_and_holes() {
        let cancel = Cancel::default();
        for in_kernel in [true, false] {
            let mut copier =
                FileCopier { in_kernel, reflink: false, ..FileCopier::new(&cancel, None) };
            let (way, from, to, stored) = copy_with(&mut copier);
            assert_eq!(way.unwrap(), Way::Copied);
            assert!(from == to, "other bytes, in the kernel: {in_kernel}");
            assert!(stored < 4 * MIB, "{stored} bytes are stored, in the kernel: {in_kernel}");
        }
    }

    #[test]
    fn a_copy_stops_when_its_caller_went_away() {
        let cancel = Cancel::default();
        drop(cancel.on_drop());
        let mut copier = FileCopier { reflink: false, ..FileCopier::new(&cancel, None) };
        assert!(matches!(copy_with(&mut copier).0, Err(FsError::Cancelled)));
    }
}
