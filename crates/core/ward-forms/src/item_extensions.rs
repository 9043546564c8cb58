//! What the extensions of structured data capture (SDC) say about an item, as typed data.
//!
//! Those that limit answers are in [`crate::AnswerRules`], options carry their own.

use crate::answer_value::Coding;
use crate::error::FormError;
use crate::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSIONS_PER_ITEM};
use crate::translation::Translations;
use serde_json::{Map, Value};

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

/// The language that expressions are evaluated in.
pub const FHIRPATH: &str = "text/fhirpath";

/// A formula in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expression {
    /// The name that other expressions use, for variables.
    pub name: Option<String>,
    /// The language; only [`FHIRPATH`] is evaluated.
    pub language: String,
    /// The formula; empty when the form only refers to one elsewhere.
    pub text: String,
}

impl Expression {
    /// Whether it is written in the language that Ward evaluates.
    #[must_use]
    pub fn is_fhirpath(&self) -> bool {
        self.language == FHIRPATH
    }
}

/// A rule that the answers must keep, as a formula that must be true.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Constraint {
    /// Its name within the form.
    pub key: Option<String>,
    /// The formula.
    pub expression: Expression,
    /// Whether a broken rule stops the response; otherwise it is a warning.
    pub is_error: bool,
    /// The sentence for people.
    pub human: Option<String>,
}

/// How a choice is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// Side by side.
    Horizontal,
    /// One below the other.
    Vertical,
}

/// What the extensions of one item, or of the whole form, say.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ItemExtensions {
    /// How the item is shown (`itemControl`), such as `slider`.
    pub controls: Vec<Coding>,
    /// How its options are laid out (`choiceOrientation`).
    pub orientation: Option<Orientation>,
    /// The form of an entry, in words (`entryFormat`).
    pub entry_format: Option<String>,
    /// The label for words of one's own (`openLabel`).
    pub open_label: Option<String>,
    /// The label for words of one's own in other languages.
    pub open_label_translations: Translations,
    /// The unit that a number is given in (`unit`).
    pub unit: Option<Coding>,
    /// When the item is enabled (`enableWhenExpression`).
    pub enable_when_expression: Option<Expression>,
    /// What is filled in when the form is opened (`initialExpression`).
    pub initial_expression: Option<Expression>,
    /// What the answer is calculated from (`calculatedExpression`).
    pub calculated_expression: Option<Expression>,
    /// Named values for other expressions at this item and below it (`variable`).
    pub variables: Vec<Expression>,
    /// Rules (`constraint`, `targetConstraint`).
    pub constraints: Vec<Constraint>,
    /// Names that the surroundings supply (`launchContext`), for the whole form.
    pub launch_names: Vec<String>,
}

impl ItemExtensions {
    /// Every expression there is, with the name of its extension.
    pub fn expressions(&self) -> impl Iterator<Item = (&'static str, &Expression)> {
        let single = [
            ("enableWhenExpression", &self.enable_when_expression),
            ("initialExpression", &self.initial_expression),
            ("calculatedExpression", &self.calculated_expression),
        ];
        self.variables
            .iter()
            .map(|variable| ("variable", variable))
            .chain(single.into_iter().filter_map(|(name, expression)| Some((name, expression.as_ref()?))))
            .chain(self.constraints.iter().map(|constraint| ("constraint", &constraint.expression)))
    }

    /// Reads the extensions of an item or a form.
    pub(crate) fn read(map: &Map<String, Value>) -> Self {
        let mut out = Self::default();
        let extensions = map.get("extension").and_then(Value::as_array);
        for extension in extensions.into_iter().flatten() {
            let Some(url) = extension.get("url").and_then(Value::as_str) else { continue };
            let known = url.strip_prefix(SDC).or_else(|| url.strip_prefix(BASE));
            if let Some(name) = known {
                out.take(name, extension);
            }
        }
        out
    }

    fn take(&mut self, name: &str, extension: &Value) {
        let text = |field: &str| extension.get(field).and_then(Value::as_str).map(str::to_owned);
        match name {
            "questionnaire-itemControl" => {
                let codings = extension.pointer("/valueCodeableConcept/coding").and_then(Value::as_array);
                self.controls.extend(codings.into_iter().flatten().filter_map(Coding::read));
            }
            "questionnaire-choiceOrientation" => {
                self.orientation = match extension.get("valueCode").and_then(Value::as_str) {
                    Some("horizontal") => Some(Orientation::Horizontal),
                    Some("vertical") => Some(Orientation::Vertical),
                    _ => None,
                };
            }
            "entryFormat" => self.entry_format = text("valueString"),
            "openLabel" => {
                self.open_label = text("valueString");
                self.open_label_translations = extension
                    .as_object()
                    .map(|map| Translations::of_field(map, "valueString"))
                    .unwrap_or_default();
            }
            "questionnaire-unit" => self.unit = extension.get("valueCoding").and_then(Coding::read),
            "enableWhenExpression" => self.enable_when_expression = expression(extension),
            "initialExpression" => self.initial_expression = expression(extension),
            "calculatedExpression" => self.calculated_expression = expression(extension),
            "variable" => self.variables.extend(expression(extension)),
            "questionnaire-constraint" | "targetConstraint" => self.constraints.extend(constraint(extension)),
            "launchContext" => self.launch_names.extend(launch_name(extension)),
            _ => {}
        }
    }

    /// Checks the number and length of the expressions, for a form that is new.
    pub(crate) fn check(&self, at: &str) -> Result<(), FormError> {
        if self.expressions().count() > MAX_EXPRESSIONS_PER_ITEM {
            return Err(FormError::TooMany {
                at: at.to_owned(),
                what: "expressions",
                limit: MAX_EXPRESSIONS_PER_ITEM,
            });
        }
        let long = self.expressions().find(|(_, expression)| expression.text.len() > MAX_EXPRESSION_BYTES);
        long.map_or(Ok(()), |(name, _)| {
            Err(FormError::FieldTooLong {
                at: at.to_owned(),
                field: name.to_owned(),
                limit_bytes: MAX_EXPRESSION_BYTES,
            })
        })
    }
}

/// An extension with `valueExpression`, or with a bare formula in `valueString`.
fn expression(extension: &Value) -> Option<Expression> {
    if let Some(bare) = extension.get("valueString").and_then(Value::as_str) {
        return Some(Expression { name: None, language: FHIRPATH.to_owned(), text: bare.to_owned() });
    }
    let value = extension.get("valueExpression")?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    Some(Expression {
        name: text("name"),
        language: text("language").unwrap_or_default(),
        text: text("expression").unwrap_or_default(),
    })
}

fn part<'v>(extension: &'v Value, name: &str) -> Option<&'v Value> {
    let parts = extension.get("extension")?.as_array()?;
    parts.iter().find(|part| part.get("url").and_then(Value::as_str) == Some(name))
}

fn constraint(extension: &Value) -> Option<Constraint> {
    let text = |name: &str, field: &str| part(extension, name)?.get(field)?.as_str().map(str::to_owned);
    Some(Constraint {
        key: text("key", "valueId"),
        expression: part(extension, "expression").and_then(expression)?,
        // A rule that does not say how bad it is to break it is taken as strict.
        is_error: text("severity", "valueCode").as_deref() != Some("warning"),
        human: text("human", "valueString"),
    })
}

fn launch_name(extension: &Value) -> Option<String> {
    let name = part(extension, "name")?;
    let coded = name.pointer("/valueCoding/code").and_then(Value::as_str);
    coded.or_else(|| name.get("valueId")?.as_str()).map(str::to_owned)
}
