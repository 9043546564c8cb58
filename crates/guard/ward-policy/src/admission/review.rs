//! What a cluster asks about.

use super::upkeep::{is_leaving, is_upkeep};
use crate::graph::{Action, Attribute, Block, Format, Graph, Name, Place, Resource};
use crate::input_error::InputError;
use crate::json::read_json;
use crate::kubernetes::{Object, graph_of, group_and_kind};
use crate::limits::{MAX_REVIEW_BYTES, MAX_UID_BYTES};

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is removed.
    Delete,
}

/// A review: what a cluster asks before it does something.
#[derive(Debug)]
pub struct Review {
    /// Its name, which the answer repeats.
    pub uid: Box<str>,
    /// What is done.
    pub operation: Operation,
    /// A part of the object that is addressed by itself, such as `ephemeralcontainers`; else empty.
    pub subresource: Box<str>,
    /// Whether it is only tried out.
    pub is_dry_run: bool,
    /// What there is to judge.
    pub judge: ToJudge,
    /// The object as it was, if the update leaves what rules judge as it was.
    pub before: Option<Box<Graph>>,
}

/// What there is to judge in a review.
#[derive(Debug)]
pub enum ToJudge {
    /// The object that will be there.
    Object(Box<Graph>),
    /// Nothing: it is removed, or nothing of what it does changes.
    Nothing,
}

/// Why a review was not read. The cluster must be refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the review was not read: {error}")]
pub struct ReviewError {
    /// The review's name, if so much could be read: the refusal repeats it. Without it the cluster
    /// gets no answer that it takes for one, and refuses as its configuration says.
    pub uid: Option<Box<str>>,
    /// What is wrong.
    pub error: InputError,
}

/// Reads a review.
///
/// # Errors
/// [`ReviewError`] when it is no review of `admission.k8s.io/v1`, or one that Ward doesn't judge.
pub fn read_admission_review(bytes: &[u8]) -> Result<Review, ReviewError> {
    let nameless = |error| ReviewError { uid: None, error };
    if bytes.len() > MAX_REVIEW_BYTES {
        return Err(nameless(malformed("the review", &format!("has more than {MAX_REVIEW_BYTES} bytes"))));
    }
    let text = crate::read_text(bytes).map_err(nameless)?;
    let document = match read_json(&text).map_err(nameless)? {
        Attribute::Block(document) => document,
        _ => return Err(nameless(malformed("the review", "is no object"))),
    };
    let request = block(&document, "request").ok_or_else(|| nameless(malformed("request", "is missing")))?;
    let uid = text_of(request, "uid").filter(|uid| !uid.is_empty() && uid.len() <= MAX_UID_BYTES);
    let uid = uid.ok_or_else(|| nameless(malformed("request.uid", "is missing, or too long")))?;
    let named = |error| ReviewError { uid: Some(uid.into()), error };
    match (text_of(&document, "apiVersion"), text_of(&document, "kind")) {
        (Some("admission.k8s.io/v1"), Some("AdmissionReview")) => {}
        _ => {
            let what = "Ward reads AdmissionReview of admission.k8s.io/v1".to_owned();
            return Err(named(InputError::UnknownFormat { what }));
        }
    }
    read_request(uid, request).map_err(named)
}

fn malformed(at: &str, what: &str) -> InputError {
    InputError::Malformed { at: at.to_owned(), what: what.to_owned() }
}

fn block<'b>(of: &'b Block, name: &str) -> Option<&'b Block> {
    match of.get(name) {
        Some(Attribute::Block(block)) => Some(block),
        _ => None,
    }
}

fn text_of<'b>(of: &'b Block, name: &str) -> Option<&'b str> {
    match of.get(name) {
        Some(Attribute::Text(text)) => Some(text),
        _ => None,
    }
}

fn read_request(uid: &str, request: &Block) -> Result<Review, InputError> {
    let operation = match text_of(request, "operation") {
        Some("CREATE") => Operation::Create,
        Some("UPDATE") => Operation::Update,
        Some("DELETE") => Operation::Delete,
        Some(other) => {
            return Err(malformed("request.operation", &format!("{other:?} is not judged by Ward")));
        }
        None => return Err(malformed("request.operation", "is missing")),
    };
    let subresource = text_of(request, "subResource").unwrap_or_default();
    let kept = upkeep(request, operation);
    let is_farewell = kept.is_some_and(|(object, before)| is_leaving(object) && is_leaving(before));
    let judge = if operation == Operation::Delete || (is_farewell && subresource.is_empty()) {
        ToJudge::Nothing
    } else {
        ToJudge::Object(Box::new(object_of(request, "object", operation)?))
    };
    // One that can't be read excuses nothing.
    let before = kept.and_then(|_| object_of(request, "oldObject", operation).ok()).map(Box::new);
    Ok(Review {
        uid: uid.into(),
        operation,
        subresource: subresource.into(),
        is_dry_run: request.get("dryRun") == Some(&Attribute::Bool(true)),
        judge,
        before,
    })
}

/// The object and what it was, if the update leaves what rules judge as it was.
fn upkeep(request: &Block, operation: Operation) -> Option<(&Block, &Block)> {
    let (object, before) = (block(request, "object")?, block(request, "oldObject")?);
    let (version, kind) = kind_of(request).ok()?;
    let is_kept =
        operation == Operation::Update && is_upkeep(&group_and_kind(&version, kind), object, before);
    is_kept.then_some((object, before))
}

/// The version with its group, and the kind, as the request says them.
fn kind_of(request: &Block) -> Result<(String, &str), InputError> {
    let kind = block(request, "kind").ok_or_else(|| malformed("request.kind", "is missing"))?;
    let (group, version, kind) = (text_of(kind, "group"), text_of(kind, "version"), text_of(kind, "kind"));
    let (Some(version), Some(kind)) = (version, kind) else {
        return Err(malformed("request.kind", "has no version, or no kind"));
    };
    let version = match group {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Ok((version, kind))
}

/// The graph of an object in a request.
fn object_of(request: &Block, name: &str, operation: Operation) -> Result<Graph, InputError> {
    let (version, kind) = kind_of(request)?;
    let at = format!("request.{name}");
    let body = block(request, name).ok_or_else(|| malformed(&at, "is missing"))?;
    let body = completed(body, request, &version, kind)?;
    let place = Place { file: "request.object".into(), line: 1 };
    let object = Object::of(body, place).ok_or_else(|| malformed(&at, "does not say what it is"))?;
    if object.kind != group_and_kind(&version, kind) {
        return Err(malformed(&at, "is of another kind than the request says"));
    }
    let graph = graph_of(Format::ClusterObject, vec![object], Vec::new())?;
    with_action(graph, operation, block(request, "oldObject"))
}

/// The object with its kind and namespace, which the request knows if the object doesn't say.
fn completed(body: &Block, request: &Block, version: &str, kind: &str) -> Result<Block, InputError> {
    let mut entries = body.clone().into_entries();
    if body.get("apiVersion").is_none() && body.get("kind").is_none() {
        entries.push(("apiVersion".into(), version.into()));
        entries.push(("kind".into(), kind.into()));
    }
    let namespace = text_of(request, "namespace").filter(|namespace| !namespace.is_empty());
    if let Some(namespace) = namespace {
        let mut metadata = block(body, "metadata").cloned().unwrap_or_default().into_entries();
        metadata.retain(|(name, _)| &**name != "namespace");
        metadata.push(("namespace".into(), namespace.into()));
        entries.retain(|(name, _)| &**name != "metadata");
        entries.push(("metadata".into(), Attribute::Block(unique(metadata)?)));
    }
    unique(entries)
}

fn unique(entries: Vec<(Name, Attribute)>) -> Result<Block, InputError> {
    Block::new(entries).map_err(|name| InputError::GivenTwice { line: 1, name })
}

fn with_action(graph: Graph, operation: Operation, before: Option<&Block>) -> Result<Graph, InputError> {
    if operation != Operation::Update {
        return Ok(graph);
    }
    let change = |resource: &Resource| {
        let mut resource = resource.clone();
        resource.action = Action::Update;
        resource.before = before.cloned();
        resource
    };
    let resources = graph.resources().map(|(_, resource)| change(resource)).collect();
    Ok(Graph::new(Format::ClusterObject, resources, graph.notes().to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "x-"},
        "spec": {"containers": [{"name": "a"}], "ephemeralContainers":
        [{"name": "debug", "securityContext": {"privileged": true}}]}}"#;

    fn request(operation: &str, more: &str) -> String {
        format!(
            r#"{{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {{"uid": "u-1",
            "kind": {{"group": "", "version": "v1", "kind": "Pod"}}, "namespace": "prod",
            "operation": "{operation}"{more}}}}}"#
        )
    }

    fn read(operation: &str, more: &str) -> Result<Review, ReviewError> {
        read_admission_review(request(operation, more).as_bytes())
    }

    fn graph(review: Review) -> Graph {
        match review.judge {
            ToJudge::Object(graph) => *graph,
            ToJudge::Nothing => panic!("nothing to judge"),
        }
    }

    #[test]
    fn an_object_that_is_made() {
        let review = read("CREATE", &format!(r#", "object": {POD}, "dryRun": true"#)).unwrap();
        assert_eq!((&*review.uid, review.operation, review.is_dry_run), ("u-1", Operation::Create, true));
        let graph = graph(review);
        let (_, pod) = graph.at("prod:Pod/x-*").unwrap();
        assert_eq!((pod.action, pod.before.is_none()), (Action::Create, true));
    }

    #[test]
    fn fails_closed_an_ephemeral_container_is_judged() {
        let more = format!(
            r#", "subResource": "ephemeralcontainers", "object": {POD}, "oldObject": {{"spec": {{}}}}"#
        );
        let review = read("UPDATE", &more).unwrap();
        assert_eq!(&*review.subresource, "ephemeralcontainers");
        let graph = graph(review);
        let (_, pod) = graph.resources().next().unwrap();
        assert_eq!(pod.action, Action::Update);
        assert!(pod.before.is_some());
        let path = crate::graph::AttributePath::of("pod.containers.securityContext.privileged");
        let shown: Vec<_> =
            crate::graph::reach(&pod.attributes, &path).unwrap().iter().map(|one| one.shown()).collect();
        assert_eq!(shown, ["not set", "true"]);
    }

    #[test]
    fn what_is_removed_is_not_judged() {
        let removed = read("DELETE", r#", "object": null"#).unwrap();
        assert!(matches!(removed.judge, ToJudge::Nothing));
    }

    #[test]
    fn finalizers_of_what_is_leaving_may_go_and_nothing_else() {
        let leaving = |image: &str, finalizers: &str| {
            format!(
                r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "p", "uid": "1", "deletionTimestamp": "t",
                "finalizers": [{finalizers}]}}, "spec": {{"containers": [{{"image": "{image}"}}]}}}}"#
            )
        };
        let update = |object: &str, before: &str, more: &str| {
            read("UPDATE", &format!(r#", "object": {object}, "oldObject": {before}{more}"#)).unwrap()
        };
        let (now, then) = (leaving("a", ""), leaving("a", r#""f""#));
        assert!(matches!(update(&now, &then, "").judge, ToJudge::Nothing));
        let changed = update(&leaving("b", ""), &then, "");
        assert!(matches!(changed.judge, ToJudge::Object(_)) && changed.before.is_none());
        let other = update(&now, &then.replace(r#""uid": "1""#, r#""uid": "2""#), "");
        assert!(matches!(other.judge, ToJudge::Object(_)) && other.before.is_none());
        assert!(matches!(update(POD, POD, "").judge, ToJudge::Object(_)));
        let part = r#", "subResource": "ephemeralcontainers""#;
        assert!(matches!(update(&now, &then, part).judge, ToJudge::Object(_)));
    }

    #[test]
    fn fails_closed_a_review_that_is_not_understood_is_an_error_with_its_uid() {
        for (text, has_uid) in [
            (String::new(), false),
            ("[]".to_owned(), false),
            (request("CREATE", "").replace("u-1", ""), false),
            (request("CREATE", ""), true),
            (request("CREATE", r#", "object": null"#), true),
            (request("CONNECT", ""), true),
            (
                request("CREATE", &format!(r#", "object": {POD}"#)).replace("k8s.io/v1", "k8s.io/v1beta1"),
                true,
            ),
            (request("CREATE", r#", "object": {"apiVersion": "v1", "kind": "Node"}"#), true),
            (request("CREATE", r#", "object": {"apiVersion": "v1"}"#), true),
            (request("CREATE", r#", "object": {"a": 1, "a": 2}"#), false),
        ] {
            let error = read_admission_review(text.as_bytes()).unwrap_err();
            assert_eq!(error.uid.is_some(), has_uid, "{text}: {error}");
        }
    }

    #[test]
    fn bytes_and_uid_at_the_limit_and_one_past() {
        let padded = |len: usize| {
            let text = request("DELETE", "");
            let room = len - text.len();
            text + &" ".repeat(room)
        };
        assert!(read_admission_review(padded(MAX_REVIEW_BYTES).as_bytes()).is_ok());
        assert!(read_admission_review(padded(MAX_REVIEW_BYTES + 1).as_bytes()).is_err());
        let with_uid = |len: usize| request("DELETE", "").replace("u-1", &"u".repeat(len));
        assert!(read_admission_review(with_uid(MAX_UID_BYTES).as_bytes()).is_ok());
        assert!(read_admission_review(with_uid(MAX_UID_BYTES + 1).as_bytes()).is_err());
    }
}
