//! A site with its people, a server in this process, and clients that speak to it.

pub mod clock;
pub mod pen;
pub mod people;
pub mod wire;
pub mod world;

pub use pen::Pen;
pub use people::{Device, People, TestRng};
pub use wire::{Reply, Session, Wire, proof};
pub use world::World;
