//! The functions of a template.

use super::alternatives::{Value, computed, one_of, references_in};
use super::conditions::Decision;
use super::evaluator::{Evaluator, literal};
use super::tags::{Shape, shape};
use crate::graph::{Attribute, BlockReference, ModulePath, Reason, Reference, Referent, ReferredKey};
use crate::limits::MAX_SHOWN_CHARS;
use crate::yaml::{YamlNode, YamlValue};

/// Begins a pseudo parameter inside a text.
pub(super) const PSEUDO_MARK: &str = "${AWS::";

impl<'t> Evaluator<'t> {
    /// The value of a function.
    pub(super) fn call(&mut self, name: &'t str, argument: &'t YamlNode) -> Value {
        match name {
            "Ref" => argument.as_text().map_or_else(|| opaque_call(name, &[]), |name| self.reference(name)),
            "Fn::GetAtt" => self.attribute_of(argument),
            "Fn::If" => self.branch(argument),
            "Fn::Sub" => self.substituted(argument),
            "Fn::Join" => self.joined(argument),
            "Fn::Split" => self.split(argument),
            "Fn::Select" => self.selected(argument),
            "Fn::FindInMap" => self.mapped(argument),
            // Rules look for what is meant: the text itself, the value itself.
            "Fn::Base64" | "Fn::ToJsonString" => self.value(argument),
            "Fn::Length" => self.length(argument),
            "Fn::ImportValue" => {
                let import = written(name, argument);
                let elsewhere = vec![Reference { written: import.as_str().into(), to: Referent::Elsewhere }];
                Value::unknown(Reason::Elsewhere, elsewhere, &import)
            }
            "Fn::Transform" => {
                Value::unknown(Reason::Missing, vec![computed("Fn::Transform")], "Fn::Transform")
            }
            "Fn::Cidr" | "Fn::GetAZs" => {
                let argument_value = self.value(argument);
                let references = references_in(&argument_value.attribute);
                Value::unknown(Reason::Expression, references, &written(name, argument))
            }
            _ => {
                let argument_value = self.value(argument);
                opaque_call(name, argument_value.attribute.as_slice())
            }
        }
    }

    /// What `Ref` stands for.
    pub(super) fn reference(&mut self, name: &str) -> Value {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return pseudo_parameter(name, pseudo);
        }
        if let Some(parameter) = self.parameters.get(name) {
            let parameter = parameter.clone();
            self.spend(bytes_of(&parameter));
            return Value::of(parameter);
        }
        self.resource(name, "", format!("!Ref {name}"))
    }

    /// What an attribute of a resource stands for.
    pub(super) fn resource(&self, name: &str, attribute: &str, written: String) -> Value {
        let reference = |to| vec![Reference { written: written.as_str().into(), to }];
        let Some(kind) = self.kinds.get(name) else {
            return Value::unknown(Reason::Undeclared, reference(Referent::Undeclared), &written);
        };
        let to = Referent::Block(BlockReference {
            module: ModulePath::root(),
            is_data: false,
            kind: (*kind).into(),
            name: name.into(),
            key: ReferredKey::NotGiven,
            attribute: attribute.into(),
        });
        match *kind {
            // Its outputs stand in another template.
            "AWS::CloudFormation::Stack" if !attribute.is_empty() => {
                Value::unknown(Reason::Elsewhere, reference(Referent::Elsewhere), &written)
            }
            kind if kind.ends_with("::MODULE") => {
                Value::unknown(Reason::Missing, reference(Referent::Computed), &written)
            }
            // Code of its own decides what it says, if it says anything.
            "AWS::CloudFormation::CustomResource" | "AWS::CloudFormation::WaitCondition" => {
                Value::unknown(Reason::AfterApply, reference(Referent::Computed), &written)
            }
            kind if kind.starts_with("Custom::") => {
                Value::unknown(Reason::AfterApply, reference(Referent::Computed), &written)
            }
            _ => Value::unknown(Reason::AfterApply, reference(to), &written),
        }
    }

    fn attribute_of(&mut self, argument: &'t YamlNode) -> Value {
        if let Some(text) = argument.as_text() {
            let (name, attribute) = text.split_once('.').unwrap_or((text, ""));
            return self.resource(name, attribute, format!("!GetAtt {text}"));
        }
        let Some([name, attribute]) = argument.as_items() else { return opaque_call("Fn::GetAtt", &[]) };
        let (name, attribute) = (self.value(name).attribute, self.value(attribute).attribute);
        match (name, attribute) {
            (Some(Attribute::Text(name)), Some(Attribute::Text(attribute))) => {
                self.resource(&name, &attribute, format!("!GetAtt {name}.{attribute}"))
            }
            (name, attribute) => {
                let parts: Vec<Attribute> = name.into_iter().chain(attribute).collect();
                opaque_call("Fn::GetAtt", &parts)
            }
        }
    }

    fn branch(&mut self, argument: &'t YamlNode) -> Value {
        let Some([condition, then, otherwise]) = argument.as_items() else {
            return opaque_call("Fn::If", &[]);
        };
        let name = condition.as_text().unwrap_or_default();
        match self.decide(name) {
            Decision::Yes => self.value(then),
            Decision::No => self.value(otherwise),
            Decision::Open => {
                let values = vec![self.value(then), self.value(otherwise)];
                one_of(values, &format!("!If {name}"))
            }
        }
    }

    fn mapped(&mut self, argument: &'t YamlNode) -> Value {
        let text = written("Fn::FindInMap", argument);
        let Some([map, keys @ ..]) = argument.as_items() else { return opaque_call("Fn::FindInMap", &[]) };
        let (Some(map), [top, second, options @ ..]) = (map.as_text(), keys) else {
            return opaque_call("Fn::FindInMap", &[]);
        };
        let default = options.first().and_then(|options| options.get("DefaultValue"));
        self.spend(self.mappings.and_then(YamlNode::as_entries).map_or(0, <[_]>::len));
        let level = self.mappings.and_then(|mappings| mappings.get(map));
        let tops: Vec<&YamlNode> = level.map(|level| self.entries_of_key(level, top)).unwrap_or_default();
        let mut found = Vec::new();
        for level in tops {
            found.extend(self.entries_of_key(level, second));
        }
        let mut values: Vec<Value> = Vec::with_capacity(found.len());
        for node in found {
            self.spend(bytes_of_node(node));
            values.push(literal(node));
        }
        values.extend(default.map(|node| self.value(node)));
        if values.is_empty() {
            return Value::unknown(Reason::Undeclared, vec![computed(&text)], &text);
        }
        one_of(values, &text)
    }

    /// The values of a key in one level of a map: of each key, if the key is not known. A deployment
    /// with a key that the map doesn't have is refused by CloudFormation.
    fn entries_of_key(&mut self, level: &'t YamlNode, key: &'t YamlNode) -> Vec<&'t YamlNode> {
        let entries = level.as_entries().unwrap_or_default();
        self.spend(entries.len());
        let key = self.value(key).attribute;
        let keys: Vec<String> = match &key {
            Some(Attribute::Text(text)) if text.contains(PSEUDO_MARK) => Vec::new(),
            Some(Attribute::Unknown(unknown)) => {
                let texts: Option<Vec<String>> = unknown.branches.iter().map(scalar_text).collect();
                texts.unwrap_or_default()
            }
            Some(known) => scalar_text(known).into_iter().collect(),
            None => Vec::new(),
        };
        let is_meant = |name: &str| keys.is_empty() || keys.iter().any(|key| key == name);
        let found = entries.iter().filter(|(name, _)| name.as_text().is_some_and(is_meant));
        found.map(|(_, value)| value).collect()
    }

    fn length(&mut self, argument: &'t YamlNode) -> Value {
        match self.value(argument).attribute {
            Some(Attribute::List(items))
                if !items.iter().any(|item| matches!(item, Attribute::Unknown(_))) =>
            {
                let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
                Value::of(Attribute::Number(f64::from(count)))
            }
            other => opaque_call("Fn::Length", other.as_slice()),
        }
    }
}

/// Pseudo parameters. What only identifies the account or the stack is a part of texts that no rule
/// looks for; where the stack stands may be anything.
fn pseudo_parameter(name: &str, pseudo: &str) -> Value {
    match pseudo {
        "NoValue" => Value::UNSET,
        "AccountId" | "Partition" | "StackId" | "StackName" | "URLSuffix" => {
            Value::of(Attribute::text(&format!("${{{name}}}")))
        }
        _ => {
            let input = vec![Reference { written: format!("!Ref {name}").into(), to: Referent::Input }];
            Value::unknown(Reason::Input, input, &format!("!Ref {name}"))
        }
    }
}

/// A function that Ward does not evaluate.
pub(super) fn opaque_call(name: &str, arguments: &[Attribute]) -> Value {
    let mut references = references_in(arguments);
    references.push(computed(name));
    Value::unknown(Reason::Expression, references, name)
}

/// A function as a report shows it, with the beginning of its argument.
pub(super) fn written(name: &str, argument: &YamlNode) -> String {
    let short = |name: &str| format!("!{}", name.strip_prefix("Fn::").unwrap_or(name));
    let mut text = short(name);
    let mut node = argument;
    loop {
        node = node.as_items().and_then(<[YamlNode]>::first).unwrap_or(node);
        match (&node.value, node.as_entries().map(shape)) {
            (_, Some(Shape::Call(inner, argument))) if text.len() < MAX_SHOWN_CHARS => {
                text.push(' ');
                text.push_str(&short(inner));
                node = argument;
            }
            (YamlValue::Scalar { text: scalar, .. }, _) => return format!("{text} {scalar}"),
            _ => return text,
        }
    }
}

/// A scalar as part of a text.
pub(super) fn scalar_text(attribute: &Attribute) -> Option<String> {
    match attribute {
        Attribute::Text(text) => Some(text.to_string()),
        Attribute::Bool(value) => Some(value.to_string()),
        Attribute::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn bytes_of(attribute: &Attribute) -> usize {
    size_of::<Attribute>()
        + match attribute {
            Attribute::Text(text) => text.len(),
            Attribute::List(items) => items.iter().map(bytes_of).sum(),
            Attribute::Unknown(unknown) => unknown.branches.iter().map(bytes_of).sum(),
            _ => 0,
        }
}

/// Bytes that a tree comes to, roughly.
pub(super) fn bytes_of_node(node: &YamlNode) -> usize {
    let text = node.as_text().map_or(0, str::len);
    let items: usize = node.as_items().unwrap_or_default().iter().map(bytes_of_node).sum();
    let entries = node.as_entries().unwrap_or_default().iter();
    let entries: usize = entries.map(|(key, value)| bytes_of_node(key) + bytes_of_node(value)).sum();
    size_of::<Attribute>() + text + items + entries
}
