//! The scores of a form's offered answers, for the expressions that ask for them.

use crate::fhirpath::{Decimal, OptionWeights};
use crate::questionnaire::Questionnaire;
use crate::{AnswerOption, AnswerOptions, AnswerValue};

impl OptionWeights for Questionnaire {
    fn is_scored(&self, link_id: Option<&str>) -> bool {
        let Some(item) = link_id.and_then(|link_id| self.item(link_id)) else { return false };
        match &item.options {
            // Nobody can see whether that list has scores, and in doubt there is no sum.
            AnswerOptions::Elsewhere(_) => true,
            options => options.listed().iter().any(|option| option.weight.is_some()),
        }
    }

    fn weight(&self, link_id: Option<&str>, system: Option<&str>, code: &str) -> Option<Decimal> {
        let mut weights = offered(self, link_id).iter().filter_map(|option| match &option.value {
            AnswerValue::Coding(coding) if coding.code.as_deref() == Some(code) => {
                // An answer or an option without a system means the one that has the code.
                let is_same =
                    system.is_none() || coding.system.is_none() || coding.system.as_deref() == system;
                is_same.then_some(option.weight)
            }
            _ => None,
        });
        let weight = weights.next()??;
        // Two options of one code: nobody knows which was meant.
        if weights.any(|other| other != Some(weight)) {
            return None;
        }
        Decimal::try_from(weight).ok()
    }

    fn options_looked_through(&self, link_id: Option<&str>) -> usize {
        offered(self, link_id).len()
    }
}

fn offered<'f>(form: &'f Questionnaire, link_id: Option<&str>) -> &'f [AnswerOption] {
    link_id.and_then(|link_id| form.item(link_id)).map_or(&[], |item| item.options.listed())
}
