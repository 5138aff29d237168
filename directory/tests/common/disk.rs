//! A disk in memory that remembers every operation, so that the power can be cut afterwards at any of them, and that
//! can be told to fail or to stand still.
//!
//! [`Disk`] is what the store writes to. Its log, replayed by a [`Platter`], says after every operation what is surely
//! on the disk (all up to the last `sync_data`) and what may be there: [`Platter::cut`] keeps some of it, in any
//! order, with one write torn at a sector's boundary, with growth that has or has not reached the disk.
//! Used by `power_cut` and `faults`.

use redb::StorageBackend;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What a disk writes as a whole or not at all.
pub const SECTOR: u64 = 512;

/// One operation, and what the test says between operations.
#[derive(Debug, Clone)]
pub enum Event {
    Write(u64, Arc<[u8]>),
    SetLen(u64),
    Sync,
    /// The caller has been told that the journal is at this position; the digest of the content there.
    Acknowledged(u64, [u8; 32]),
}

impl Event {
    /// Not a note of the test.
    pub fn is_operation(&self) -> bool {
        !matches!(self, Event::Acknowledged(..))
    }
}

/// A failure to come.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The operation (write, sync, change of length) that fails first, counted from 0.
    pub at: usize,
    /// The operations after it fail, too.
    pub lasts: bool,
    /// As what.
    pub kind: ErrorKind,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    log: Vec<Event>,
    operations: usize,
    fault: Option<Fault>,
    /// Every read fails.
    unreadable: bool,
    /// The next sync waits.
    hold: bool,
    /// One is waiting.
    held: bool,
}

/// The disk. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<(Mutex<State>, Condvar)>);

impl Disk {
    /// A disk that holds this already, surely.
    pub fn of(bytes: Vec<u8>) -> Disk {
        Disk(Arc::new((Mutex::new(State { bytes, ..State::default() }), Condvar::new())))
    }

    /// The same disk, for the store.
    pub fn backend(&self) -> Box<dyn StorageBackend> {
        Box::new(self.clone())
    }

    /// What a process sees that reads the disk now, the machine having stayed up.
    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// What has happened so far.
    pub fn log(&self) -> Vec<Event> {
        self.state().log.clone()
    }

    /// How many operations there have been.
    pub fn operations(&self) -> usize {
        self.state().operations
    }

    /// Writes a note into the log.
    pub fn note(&self, event: Event) {
        self.state().log.push(event);
    }

    /// Operations fail from now on as the fault says; counting begins anew.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut state = self.state();
        state.operations = 0;
        state.fault = fault;
    }

    /// Reads fail from now on, or no longer; they are not counted.
    pub fn fail_reads(&self, fail: bool) {
        self.state().unreadable = fail;
    }

    /// The next sync waits until [`Disk::release`].
    pub fn hold(&self) {
        self.state().hold = true;
    }

    /// Waits until a sync waits.
    pub fn wait_held(&self) {
        let mut state = self.state();
        while !state.held {
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the sync go on.
    pub fn release(&self) {
        self.state().hold = false;
        self.0.1.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, or refuses it.
    fn begin(&self) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.state();
        let number = state.operations;
        state.operations += 1;
        match state.fault {
            Some(fault) if number == fault.at || (fault.lasts && number > fault.at) => Err(fault.kind.into()),
            _ => Ok(state),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let start = usize::try_from(offset).unwrap();
        let state = self.state();
        if state.unreadable {
            return Err(ErrorKind::Other.into());
        }
        let bytes = state.bytes.get(start..start + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut state = self.begin()?;
        state.bytes.resize(usize::try_from(len).unwrap(), 0);
        state.log.push(Event::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut state = self.begin()?;
        if state.hold {
            state.held = true;
            self.0.1.notify_all();
            while state.hold {
                state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.held = false;
        }
        state.log.push(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut state = self.begin()?;
        let start = usize::try_from(offset).unwrap();
        if state.bytes.len() < start + data.len() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        state.bytes[start..start + data.len()].copy_from_slice(data);
        state.log.push(Event::Write(offset, data.into()));
        Ok(())
    }
}

/// What is on a disk after some of its log: surely, and perhaps.
#[derive(Debug, Default)]
pub struct Platter {
    durable: Vec<u8>,
    pending: Vec<Event>,
}

impl Platter {
    /// What a disk surely holds at the beginning.
    pub fn of(durable: Vec<u8>) -> Platter {
        Platter { durable, pending: Vec::new() }
    }

    /// The next operation of the log.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Sync => {
                for event in std::mem::take(&mut self.pending) {
                    match event {
                        Event::Write(offset, data) => put(&mut self.durable, offset, &data, true),
                        Event::SetLen(len) => self.durable.resize(usize::try_from(len).unwrap(), 0),
                        Event::Sync | Event::Acknowledged(..) => {}
                    }
                }
            }
            Event::Write(..) | Event::SetLen(_) => self.pending.push(event.clone()),
            Event::Acknowledged(..) => {}
        }
    }

    /// The power goes now: one of the disks that may be found afterwards.
    pub fn cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut image = self.durable.clone();
        // From nothing to everything, with all shares between.
        let share = [0, 1, 4, 8, 12, 15, 16][dice.below(7)];
        let mut writes = Vec::new();
        let mut lost_growth = false;
        for event in &self.pending {
            match event {
                Event::SetLen(len) if dice.below(4) > 0 => image.resize(usize::try_from(*len).unwrap(), 0),
                Event::SetLen(_) => lost_growth = true,
                Event::Write(offset, data) if dice.below(16) < share => writes.push((*offset, data.clone())),
                Event::Write(..) | Event::Sync | Event::Acknowledged(..) => {}
            }
        }
        if dice.below(2) == 0 {
            for last in (1..writes.len()).rev() {
                writes.swap(last, dice.below(last + 1));
            }
        }
        let torn = (!writes.is_empty() && dice.below(2) == 0).then(|| dice.below(writes.len()));
        // A write behind the old end can reach the disk without the change of length that made room for it, or not.
        let grows = lost_growth && dice.below(2) == 0;
        for (number, (offset, data)) in writes.iter().enumerate() {
            if torn == Some(number) {
                let (from, to) = tear(*offset, data.len(), dice);
                put(&mut image, offset + from as u64, &data[from..to], grows);
            } else {
                put(&mut image, *offset, data, grows);
            }
        }
        image
    }
}

/// The part of a torn write that reached the disk: its beginning or its end, cut at a sector's boundary.
fn tear(offset: u64, length: usize, dice: &mut Dice) -> (usize, usize) {
    let before = usize::try_from((SECTOR - offset % SECTOR) % SECTOR).unwrap();
    let cuts: Vec<usize> = (0..).map(|n| before + n * 512).take_while(|cut| *cut < length).collect();
    if cuts.is_empty() {
        return (0, 0);
    }
    let cut = cuts[dice.below(cuts.len())];
    if dice.below(2) == 0 { (0, cut) } else { (cut, length) }
}

fn put(image: &mut Vec<u8>, offset: u64, data: &[u8], grows: bool) {
    let start = usize::try_from(offset).unwrap();
    if image.len() < start + data.len() && grows {
        image.resize(start + data.len(), 0);
    }
    let end = image.len().min(start + data.len());
    if start < end {
        image[start..end].copy_from_slice(&data[..end - start]);
    }
}

/// Reproducible chance (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The same rolls for the same seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % bound as u64).unwrap()
    }
}
