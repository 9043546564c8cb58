//! Faults of devices, disks, networks and servers: each test bears the number of its row in the
//! table of faults and says what must hold.

#![cfg(test)]

mod clocks;
mod crowd;
mod damaged_rows;
mod local_commits;
mod torn_files;
