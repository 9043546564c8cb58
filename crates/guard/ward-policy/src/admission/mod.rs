//! Reviews that a cluster sends before it admits an object, and the answers to them:
//! `admission.k8s.io/v1`. Pure functions; a server around them speaks to the cluster.

mod answer;
mod judge;
mod review;
mod upkeep;

pub use answer::Answer;
pub use judge::{OpenFindings, answer_review};
pub use review::{Operation, Review, ReviewError, ToJudge, read_admission_review};
