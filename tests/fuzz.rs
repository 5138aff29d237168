//! The fuzz targets with a bounded number of drawn octets, in every test run: seeds, seeds with damage, and noise.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[path = "../fuzz/targets.rs"]
mod targets;

/// Inputs per target and run.
const INPUTS: usize = 3_000;
/// The longest input that is made, in octets.
const LENGTH: usize = 600;

/// Damages octets: flips, cuts, repeats, and pieces of other seeds.
fn damage(octets: &mut Vec<u8>, seeds: &[&[u8]], random: &mut StdRng) {
    for _ in 0..random.random_range(1..6) {
        let at = if octets.is_empty() { 0 } else { random.random_range(0..octets.len()) };
        match random.random_range(0..7) {
            0 if !octets.is_empty() => octets[at] = random.random(),
            1 if !octets.is_empty() => octets[at] ^= 1 << random.random_range(0..8),
            2 => octets.truncate(at),
            3 => octets.insert(at, *b"()[]{}\"\\:,.= \0"[..].get(random.random_range(0..14)).unwrap()),
            4 if !octets.is_empty() => drop(octets.remove(at)),
            5 => {
                let piece = octets[at..].to_vec();
                octets.extend_from_slice(&piece[..piece.len().min(64)]);
            }
            _ => {
                let seed = seeds[random.random_range(0..seeds.len())];
                let from = random.random_range(0..seed.len());
                let piece = &seed[from..seed.len().min(from + 32)];
                octets.splice(at..at, piece.iter().copied());
            }
        }
    }
    octets.truncate(LENGTH);
}

#[test]
fn no_target_finds_anything() {
    // Goal: every reader of foreign octets stands some thousand damaged inputs in every test run; the same each time.
    for (name, target, seeds) in targets::ALL {
        let mut random = StdRng::seed_from_u64(7);
        for seed in seeds {
            target(seed);
        }
        for _ in 0..INPUTS {
            let mut octets = match random.random_range(0..8) {
                0 => (0..random.random_range(0..64)).map(|_| random.random()).collect(),
                _ => seeds[random.random_range(0..seeds.len())].to_vec(),
            };
            damage(&mut octets, seeds, &mut random);
            let stands = catch_unwind(AssertUnwindSafe(|| target(&octets))).is_ok();
            assert!(stands, "{name}: {:?}", String::from_utf8_lossy(&octets));
        }
    }
}
