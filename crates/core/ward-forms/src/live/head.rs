//! What expressions see of the head of a response: always that of a finished one.
//!
//! A draft has another status than the response that is made of it, and no time of writing yet. If
//! expressions saw that, an item could be asked in a draft and be off in the response, or the other way
//! round. So `%resource.status` is the final one all the time, and `%resource.authored` is the time that
//! the form was told, until the response says it itself.

use super::{Calculation, LiveForm};
use crate::response::ResponseStatus;
use serde_json::{Value, json};

impl LiveForm<'_> {
    /// Writes the head into what expressions see.
    pub(super) fn write_head(&mut self) {
        let status = match self.response.status {
            ResponseStatus::InProgress => ResponseStatus::Completed,
            other => other,
        };
        let told = self.surroundings.now().map(|now| now.to_string());
        let authored = match self.calculation {
            Calculation::Follow if !self.is_written => told.as_deref().or(self.response.authored()),
            _ => self.response.authored(),
        }
        .map(|text| json!(text));
        let Some(Value::Object(head)) = &mut self.mirror else { return };
        head.insert("status".to_owned(), json!(status.code()));
        match authored {
            Some(authored) => drop(head.insert("authored".to_owned(), authored)),
            None => drop(head.remove("authored")),
        }
    }

    /// Evaluates the answers as they are given away: written at this time, with nothing filled in any
    /// more that nobody would see.
    pub(crate) fn write(&mut self, authored: Option<&str>) {
        self.surroundings = self.surroundings.at_writing(authored);
        if let Some(authored) = authored {
            self.response.to_mut().set_authored(authored);
        }
        self.is_written = true;
        self.wait_for_all();
        self.settle();
        if self.is_order_old {
            self.put_in_order();
        }
    }
}
