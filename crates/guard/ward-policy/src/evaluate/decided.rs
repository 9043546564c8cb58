//! Conditions over what the organisation decided.

use super::conditions::View;
use super::truth::{Outcome, Truth};
use crate::graph::{Attribute, AttributePath, Block, Reason, State, reach_untold};
use crate::rules::{DataClass, Decided};
use crate::settings::Settings;
use std::sync::LazyLock;

/// Where providers keep tags, with those of the provider's own configuration first.
pub(super) static TAG_PLACES: LazyLock<[AttributePath; 8]> = LazyLock::new(|| {
    [
        "tags_all",
        "tags",
        "effective_labels",
        "labels",
        "resource_labels",
        "settings.user_labels",
        "Tags",
        "metadata.labels",
    ]
    .map(AttributePath::of)
});

/// Tags as far as they are known.
enum Tags<'v> {
    /// Names and values.
    Known(Vec<(&'v str, &'v Attribute)>),
    /// Some are not known.
    Open(Vec<(&'v str, &'v Attribute)>),
    /// None are written.
    NotWritten,
}

impl<'v> Tags<'v> {
    fn at(block: &'v Block, path: &AttributePath) -> Self {
        let reached = reach_untold(block, path).unwrap_or_default();
        match reached.first().map(|one| one.state) {
            Some(State::Known(Attribute::Block(tags))) => Self::Known(tags.entries().collect()),
            Some(State::Known(Attribute::List(items))) => of_list(items),
            // What the provider will add is known after it was asked; it is not what was written.
            Some(State::Unknown(unknown))
                if unknown.reason == Reason::AfterApply && unknown.references.is_empty() =>
            {
                Self::NotWritten
            }
            Some(State::Unknown(_)) => Self::Open(Vec::new()),
            _ => Self::NotWritten,
        }
    }

    fn written(&self) -> &[(&'v str, &'v Attribute)] {
        match self {
            Self::Known(tags) | Self::Open(tags) => tags,
            Self::NotWritten => &[],
        }
    }
}

/// Tags as CloudFormation writes them: a list of `Key` and `Value`.
fn of_list(items: &[Attribute]) -> Tags<'_> {
    let mut tags = Vec::new();
    let mut is_open = false;
    for item in items {
        match item {
            Attribute::Block(tag) => match (tag.get("Key"), tag.get("Value")) {
                (Some(Attribute::Text(key)), Some(value)) => tags.push((&**key, value)),
                _ => is_open = true,
            },
            _ => is_open = true,
        }
    }
    if is_open { Tags::Open(tags) } else { Tags::Known(tags) }
}

/// Whether a condition over the settings stands.
pub(super) fn stands(settings: &Settings, view: View<'_>, decided: &Decided) -> Outcome {
    let root = AttributePath::default();
    match decided {
        Decided::Setting(name) => view.outcome(settings.has(*name).into(), || {
            view.told(&root, &format!("ward-policy.yaml says nothing about {}", name.word()), "")
        }),
        Decided::Class(class) => view.outcome(is_of_class(settings, view, *class), || {
            view.told(&root, &format!("whether it holds data of the class {} is not known", class.word()), "")
        }),
        Decided::Region(path) => region(settings, view, path),
        Decided::Service => {
            let kind = &view.resource.kind;
            view.outcome(settings.allows_service(kind).into(), || {
                view.told(&root, &format!("{kind} is none of the services under contract"), "")
            })
        }
        Decided::Tags(path) => tags(settings, view, path),
    }
}

fn is_of_class(settings: &Settings, view: View<'_>, class: DataClass) -> Truth {
    let mut is_open = false;
    for place in TAG_PLACES.iter() {
        let tags = Tags::at(&view.resource.attributes, place);
        is_open |= matches!(tags, Tags::Open(_));
        let Some((_, value)) = tags.written().iter().find(|(name, _)| settings.is_class_tag(name)) else {
            continue;
        };
        return match value {
            Attribute::Text(text) => settings.is_class(text, class).into(),
            _ => Truth::Maybe,
        };
    }
    if is_open { Truth::Maybe } else { (settings.untagged() == Some(class)).into() }
}

fn region(settings: &Settings, view: View<'_>, path: &AttributePath) -> Outcome {
    let reached = view.reach(path).unwrap_or_default();
    Outcome::every(reached.iter().map(|one| {
        let truth = match one.state {
            State::Known(Attribute::Text(text)) => settings.allows_region(text).into(),
            State::Unknown(unknown) if !unknown.branches.is_empty() => {
                let allowed = |branch: &Attribute| matches!(branch, Attribute::Text(text) if settings.allows_region(text));
                if unknown.branches.iter().all(allowed) { Truth::Yes } else { Truth::Maybe }
            }
            State::Unknown(_) => Truth::Maybe,
            State::Null | State::Unset => Truth::No,
            State::Known(_) | State::OtherShape(_) => Truth::Broken,
        };
        view.outcome(truth, || view.observe(one, "not on the list of regions"))
    }))
}

fn tags(settings: &Settings, view: View<'_>, path: &AttributePath) -> Outcome {
    let own = AttributePath::of("tags");
    let mut found = Tags::at(view.block, path);
    // Without a plan the tags of the provider's configuration are not yet among them.
    if matches!(found, Tags::NotWritten) && path.as_str() == "tags_all" {
        found = Tags::at(view.block, &own);
    }
    Outcome::every(settings.tags().iter().map(|wanted| {
        let value = found.written().iter().find(|(name, _)| **name == **wanted).map(|(_, value)| *value);
        let truth = match (value, &found) {
            (Some(Attribute::Text(text)), _) => (!text.trim().is_empty()).into(),
            (Some(Attribute::Unknown(_)), _) => Truth::Yes,
            (Some(Attribute::Null) | None, Tags::Known(_) | Tags::NotWritten) => Truth::No,
            (Some(Attribute::Null) | None, Tags::Open(_)) => Truth::Maybe,
            (Some(_), _) => Truth::Yes,
        };
        view.outcome(truth, || view.told(path, &format!("no tag {wanted}"), ""))
    }))
}
