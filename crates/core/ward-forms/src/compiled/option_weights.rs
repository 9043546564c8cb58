//! The scores of offered answers, for expressions that ask for the weight of an answer.

use crate::answer_value::AnswerValue;
use crate::fhirpath::{Decimal, OptionWeights};
use crate::questionnaire::Questionnaire;

impl OptionWeights for Questionnaire {
    fn weight(&self, link_id: Option<&str>, system: Option<&str>, code: &str) -> Option<Decimal> {
        let item = self.item(link_id?)?;
        let option = item.options.listed().iter().find(|option| match &option.value {
            AnswerValue::Coding(offered) => {
                offered.code.as_deref() == Some(code) && offered.system.as_deref() == system
            }
            _ => false,
        })?;
        // The shortest digits of the number are those that the form's author wrote.
        Decimal::from_str_exact(&option.weight?.to_string()).ok()
    }
}
