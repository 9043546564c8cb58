//! A plan whose resources stand in it several times, each time under another name.

use serde_json::Value;

/// Where a plan holds its resources.
const LISTS: [&str; 3] =
    ["/planned_values/root_module/resources", "/resource_changes", "/configuration/root_module/resources"];

/// The plan with so many copies of each resource.
pub fn repeated(plan: &[u8], copies: usize) -> Vec<u8> {
    let mut plan: Value = serde_json::from_slice(plan).unwrap();
    for list in LISTS {
        let Some(resources) = plan.pointer_mut(list).and_then(Value::as_array_mut) else { continue };
        let once = std::mem::take(resources);
        resources.extend((0..copies).flat_map(|copy| once.iter().map(move |one| named(one.clone(), copy))));
    }
    serde_json::to_vec(&plan).unwrap()
}

fn named(mut resource: Value, copy: usize) -> Value {
    for field in ["address", "name"] {
        if let Some(text) = resource[field].as_str() {
            resource[field] = format!("{text}_{copy}").into();
        }
    }
    resource
}
